"""Who there is: the provider, its resellers, and the customers with the names both far sides know them by."""

from dataclasses import dataclass

from .identity import guid


@dataclass(frozen=True, slots=True)
class Partner:
    """A CSP or an indirect reseller. `mpn` is the partner id that Microsoft puts on subscriptions."""

    key: str
    name: str
    mpn: str
    country: str
    domain: str

    @property
    def tenant_id(self) -> str:
        return guid(f"partner/{self.key}")


@dataclass(frozen=True, slots=True)
class Customer:
    """An end customer: `name` as Microsoft has it, `psa_name` as somebody once typed it into Autotask.

    `reseller` is the key of the indirect reseller, or "" for a direct customer. `segment` is commercial,
    education or government.
    """

    key: str
    name: str
    psa_name: str
    country: str
    city: str
    street: str
    postal_code: str
    contact: tuple[str, str]
    reseller: str = ""
    segment: str = "commercial"

    @property
    def tenant_id(self) -> str:
        return guid(f"customer/{self.key}")

    @property
    def domain(self) -> str:
        return f"{self.key.replace('-', '')}.onmicrosoft.example"

    @property
    def currency(self) -> str:
        return CURRENCIES[self.country]


CURRENCIES = {"GB": "GBP", "US": "USD"} | dict.fromkeys(("NL", "BE", "DE", "AT", "FR", "ES", "IE", "SI"), "EUR")
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "US$"}

PROVIDER = Partner("northwind", "Northwind Cloud Services", "4710001", "NL", "northwindcloud.example")
LUMEN = Partner("lumen", "Lumen & Partners IT", "4847383", "NL", "lumenpartners.example")
HARBOURLINE = Partner("harbourline", "Harbourline Managed IT", "4847433", "GB", "harbourline.example")
RESELLERS = (LUMEN, HARBOURLINE)

CUSTOMERS = (
    Customer(
        "noordzee-logistics", "Noordzee Logistics B.V.", "Noordzee Logistics B.V.",
        "NL", "Rotterdam", "Waalhaven Oostzijde 85", "3087 BM", ("Marieke", "Postma"),
    ),
    Customer(
        "bakkerij-velde", "Bakkerij Van der Velde", "Bakkerij van der Velde B.V.",
        "NL", "Utrecht", "Oudegracht 214", "3511 NR", ("Joost", "van der Velde"),
    ),
    Customer(
        "alpenrose-hotel", "Alpenrose Hotel GmbH", "Alpenrose Hotel GmbH",
        "AT", "Innsbruck", "Maria-Theresien-Straße 31", "6020", ("Katharina", "Gruber"),
    ),
    Customer(
        "mueller-soehne", "Müller & Söhne Maschinenbau GmbH", "Mueller und Soehne Maschinenbau",
        "DE", "Osnabrück", "Hannoversche Straße 48", "49084", ("Jürgen", "Müller"),
    ),
    Customer(
        "cafe-lumiere", "Café Lumière SARL", "Cafe Lumiere",
        "FR", "Lyon", "12 rue de la Charité", "69002", ("Élodie", "Garnier"),
    ),
    Customer(
        "hanseatic-shipping", "Hanseatic Shipping AG", "HANSEATIC SHIPPING A.G.",
        "DE", "Hamburg", "Am Sandtorkai 37", "20457", ("Torsten", "Behrens"),
    ),
    Customer(
        "kliniek-linde", "Kliniek De Linde", "Kliniek de Linde",
        "NL", "Zeist", "Slotlaan 160", "3701 GR", ("Anneke", "Dijkstra"),
    ),
    Customer(
        "brouwerij-hert", "Brouwerij 't Hert NV", "Brouwerij t Hert, NV",
        "BE", "Gent", "Kraanlei 9", "9000", ("Wouter", "De Smet"),
    ),
    Customer(
        "penalver-abogados", "Peñalver Abogados S.L.", "Penalver Abogados SL",
        "ES", "Valencia", "Calle de la Paz 22", "46003", ("Íñigo", "Peñalver"),
    ),
    Customer(
        "odonnell-byrne", "O'Donnell & Byrne Solicitors", "ODonnell and Byrne Solicitors LLP",
        "IE", "Cork", "15 South Mall", "T12 K8PY", ("Aoife", "O'Donnell"),
    ),
    Customer(
        "groene-hart", "Groene Hart Accountants", "Groene Hart Accountants",
        "NL", "Gouda", "Turfmarkt 60", "2801 HA", ("Sander", "Blom"),
    ),
    Customer(
        "onderwijs-rijnmond", "Stichting Openbaar Onderwijs Rijnmond", "St. Openb. Onderwijs Rijnmond",
        "NL", "Schiedam", "Broersvest 120", "3111 GL", ("Fatima", "el Amrani"), segment="education",
    ),
    Customer(
        "gemeente-westerwold", "Gemeente Westerwold", "Gemeente Westerwold",
        "NL", "Winschoten", "Marktplein 1", "9671 AA", ("Hendrik", "Bos"), segment="government",
    ),
    Customer(
        "fjord-analytics", "Fjord Analytics Ireland Ltd", "Fjord Analytics (Ireland) Limited",
        "IE", "Dublin", "4 Grand Canal Quay", "D02 X525", ("Niamh", "Larsen"),
    ),
    Customer(
        "tehnika-inzeniring", "Tehnika Inženiring d.o.o.", "Tehnika Inzeniring doo",
        "SI", "Maribor", "Partizanska cesta 5", "2000", ("Matjaž", "Kovač"),
    ),
    Customer(
        "drukkerij-maas", "Drukkerij Maas", "Drukkerij Maas",
        "NL", "Venlo", "Maaskade 14", "5911 EG", ("Loes", "Janssen"), reseller="lumen",
    ),
    Customer(
        "tandarts-zuid", "Tandartspraktijk Zuid", "Tandartspraktijk Zuid",
        "NL", "Eindhoven", "Aalsterweg 201", "5644 RA", ("Ruben", "de Wit"), reseller="lumen",
    ),
    Customer(
        "van-loon", "Van Loon Installatietechniek B.V.", "Van Loon Installatietechniek",
        "NL", "Tilburg", "Ringbaan-Oost 8", "5013 CA", ("Piet", "van Loon"), reseller="lumen",
    ),
    Customer(
        "atelier-bruxelles", "Atelier Bruxelles SRL", "Atelier Bruxelles",
        "BE", "Bruxelles", "Rue Haute 96", "1000", ("Chloé", "Lambert"), reseller="lumen",
    ),
    Customer(
        "de-ruyter", "De Ruyter Advocaten", "Advocatenkantoor De Ruyter",
        "NL", "Breda", "Boschstraat 33", "4811 GB", ("Eva", "de Ruyter"), reseller="lumen",
    ),
    Customer(
        "hoeve-landzicht", "Hoeve Landzicht", "Hoeve Landzicht VOF",
        "NL", "Deurne", "Langstraat 71", "5751 HV", ("Gijs", "Manders"), reseller="lumen",
    ),
    Customer(
        "brightwater-housing", "Brightwater Housing Association", "Brightwater Housing Assoc.",
        "GB", "Bristol", "28 Queen Square", "BS1 4ND", ("Helen", "Marsh"), reseller="harbourline",
    ),
    Customer(
        "kestrel-crowe", "Kestrel & Crowe Architects LLP", "Kestrel and Crowe Architects",
        "GB", "Bath", "7 Milsom Place", "BA1 1BZ", ("Oliver", "Crowe"), reseller="harbourline",
    ),
    Customer(
        "pennine-outdoor", "Pennine Outdoor Ltd", "Pennine Outdoor Ltd",
        "GB", "Sheffield", "Ecclesall Road 310", "S11 8PE", ("Gemma", "Firth"), reseller="harbourline",
    ),
    Customer(
        "st-aldhelms", "St. Aldhelm's Primary School", "St Aldhelms Primary School",
        "GB", "Shepton Mallet", "Park Road 2", "BA4 5DG", ("Ruth", "Penrose"),
        reseller="harbourline", segment="education",
    ),
)  # fmt: skip

BY_KEY = {customer.key: customer for customer in CUSTOMERS}
