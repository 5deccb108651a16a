"""What every customer has bought: 120 subscriptions.

One row: the offer, its plan (term and billing cycle in short), the seats, and how many days ago it was bought; for a
subscription whose term is over, `ended` says how many days ago that was. `seats_added` is (days ago, seats), added
later than the purchase and part of `quantity`.
"""

from dataclasses import dataclass

PLANS = {
    "P1M": ("P1M", "monthly"),
    "P1Y/m": ("P1Y", "monthly"),
    "P1Y/a": ("P1Y", "annual"),
    "P3Y/m": ("P3Y", "monthly"),
    "P3Y/a": ("P3Y", "annual"),
    "P3Y/t": ("P3Y", "triennial"),
    "P1Y/once": ("P1Y", "one_time"),
    "once": ("", "one_time"),
}


@dataclass(frozen=True, slots=True)
class Bought:
    """One subscription as a row of the table below."""

    offer: str
    plan: str
    quantity: int
    age: int
    status: str = "active"
    ended: int = 0
    seats_added: tuple[int, int] = (0, 0)
    promotion: str = ""
    nickname: str = ""
    renews: bool = True
    renew_quantity: int = 0

    @property
    def term(self) -> str:
        return PLANS[self.plan][0]

    @property
    def cycle(self) -> str:
        return PLANS[self.plan][1]


B = Bought

BOUGHT: dict[str, tuple[Bought, ...]] = {
    "noordzee-logistics": (
        B("m365-premium", "P1Y/m", 48, 410, seats_added=(2, 3)),
        B("m365-e3", "P3Y/m", 12, 520),
        B("exchange-1", "P1Y/m", 25, 410),
        B("teams-phone", "P1Y/m", 18, 200),
        B("power-bi-pro", "P1Y/a", 6, 150),
        B("azure-plan", "once", 1, 600),
        B("copilot", "P1Y/m", 5, 4),
        B("visio-2", "P1M", 2, 75, "suspended"),
    ),
    "bakkerij-velde": (
        B("m365-standard", "P1Y/m", 9, 300),
        B("exchange-1", "P1Y/m", 14, 300),
        B("m365-basic", "P1M", 6, 45),
        B("defender-business", "P1Y/m", 9, 120),
        B("apps-business", "P1M", 2, 430, "deleted", ended=400),
    ),
    "alpenrose-hotel": (
        B("m365-basic", "P1Y/m", 32, 700, renew_quantity=28),
        B("m365-standard", "P1Y/m", 11, 700),
        B("azure-plan", "once", 1, 365),
        B("reserved-d4s", "P1Y/once", 2, 90),
        B("windows-server", "once", 2, 380),
        B("intune-1", "P1M", 8, 12),
    ),
    "mueller-soehne": (
        B("m365-e5", "P3Y/a", 40, 250),
        B("m365-e3", "P1Y/a", 65, 250),
        B("project-3", "P1Y/m", 7, 250),
        B("visio-2", "P1Y/m", 5, 180),
        B("azure-plan", "once", 1, 900),
        B("sql-server", "once", 4, 210),
        B("copilot", "P3Y/t", 10, 60),
    ),
    "cafe-lumiere": (
        B("m365-basic", "P1M", 4, 220),
        B("m365-standard", "P1Y/a", 3, 95),
        B("m365-premium-trial", "P1M", 25, 9),
        B("legacy-premium", "P1Y/m", 3, 1900),
    ),
    "hanseatic-shipping": (
        B("m365-e3", "P1Y/m", 110, 380, seats_added=(5, 10)),
        B("m365-e5", "P1Y/m", 15, 380),
        B("entra-p2", "P1Y/m", 15, 300),
        B("power-bi-pro", "P1Y/m", 22, 300),
        B("windows-365-e", "P1Y/m", 8, 45),
        B("azure-plan", "once", 1, 800),
        B("reserved-d4s", "P1Y/once", 6, 40),
        B("office-e3", "P1Y/m", 30, 800, "expired", ended=12, renews=False),
    ),
    "kliniek-linde": (
        B("m365-premium", "P1Y/m", 36, 290, promotion="premium"),
        B("exchange-2", "P1Y/m", 20, 290),
        B("intune-1", "P1Y/m", 36, 290),
        B("defender-office", "P1Y/m", 36, 100),
        B("teams-phone", "P1Y/m", 12, 30),
        B("windows-365-b", "P1M", 2, 6),
    ),
    "brouwerij-hert": (
        B("m365-standard", "P1Y/m", 16, 160),
        B("apps-business", "P1Y/m", 4, 160),
        B("visio-1", "P1M", 1, 20),
        B("power-bi-pro", "P1M", 2, 130, "suspended"),
    ),
    "penalver-abogados": (
        B("m365-premium", "P1Y/a", 12, 205),
        B("exchange-1", "P1Y/a", 5, 205),
        B("copilot", "P1Y/a", 4, 70),
        B("project-1", "P1M", 1, 0, "pending"),
    ),
    "odonnell-byrne": (
        B("m365-premium", "P1Y/m", 22, 330),
        B("exchange-2", "P1Y/m", 8, 330),
        B("entra-p1", "P1Y/m", 22, 55),
        B("azure-plan", "once", 1, 140),
        B("m365-basic", "P1Y/m", 6, 470, "disabled", ended=75, renews=False),
    ),
    "groene-hart": (
        B("m365-premium", "P1Y/m", 19, 240),
        B("power-bi-pro", "P1Y/m", 11, 240),
        B("visio-1", "P1Y/m", 2, 110),
        B("windows-365-b", "P1Y/m", 4, 85),
        B("copilot", "P1Y/m", 3, 25, promotion="copilot"),
    ),
    "onderwijs-rijnmond": (
        B("m365-a3-edu", "P1Y/a", 240, 320),
        B("office-a1-edu", "P1Y/m", 1500, 320),
        B("m365-a3-edu", "P1Y/m", 35, 80, nickname="M365 A3 invalkrachten"),
        B("azure-plan", "once", 1, 310),
    ),
    "gemeente-westerwold": (
        B("m365-e3-gov", "P1Y/m", 185, 270),
        B("power-bi-gov", "P1Y/a", 25, 270),
        B("entra-p2", "P1Y/m", 30, 200),
        B("windows-server", "once", 6, 500),
        B("m365-e3-gov", "P1M", 10, 15, nickname="M365 E3 project omgevingswet"),
    ),
    "fjord-analytics": (
        B("m365-premium", "P1Y/m", 14, 125),
        B("power-bi-pro", "P1Y/m", 14, 125),
        B("azure-plan", "once", 1, 450),
        B("visio-2", "P1Y/m", 2, 390, "expired", ended=26, renews=False),
    ),
    "tehnika-inzeniring": (
        B("m365-standard", "P1Y/m", 27, 190),
        B("project-3", "P3Y/m", 6, 190),
        B("exchange-1", "P1M", 10, 33),
    ),
    "drukkerij-maas": (
        B("m365-standard", "P1Y/m", 13, 310),
        B("apps-business", "P1Y/m", 6, 310),
        B("exchange-1", "P1Y/m", 7, 310),
        B("defender-business", "P1M", 13, 28),
        B("visio-1", "P1M", 1, 260, "deleted", ended=230),
    ),
    "tandarts-zuid": (
        B("m365-premium", "P1Y/m", 8, 170),
        B("exchange-1", "P1Y/m", 3, 170),
        B("teams-phone", "P1M", 4, 50),
        B("copilot", "P1Y/m", 1, 500, "disabled", ended=110, renews=False),
    ),
    "van-loon": (
        B("m365-standard", "P1Y/m", 21, 400),
        B("m365-basic", "P1Y/m", 15, 400),
        B("project-1", "P1Y/m", 3, 400),
        B("azure-plan", "once", 1, 220),
        B("intune-1", "P1Y/m", 36, 35),
    ),
    "atelier-bruxelles": (
        B("m365-standard", "P1M", 5, 105),
        B("visio-2", "P1Y/a", 2, 105),
        B("apps-business", "P1M", 1, 0, "pending"),
    ),
    "de-ruyter": (
        B("m365-premium", "P1Y/a", 17, 255),
        B("exchange-2", "P1Y/m", 4, 255),
        B("entra-p1", "P1Y/m", 17, 60),
        B("copilot", "P1Y/a", 6, 3),
        B("legacy-exchange", "P1Y/m", 4, 2100),
    ),
    "hoeve-landzicht": (
        B("m365-basic", "P1Y/m", 5, 135),
        B("exchange-1", "P1M", 2, 135, "suspended"),
        B("m365-standard", "P1Y/m", 2, 65),
        B("office-e1", "P1M", 3, 350, "deleted", ended=320),
    ),
    "brightwater-housing": (
        B("m365-e3", "P1Y/m", 95, 340),
        B("m365-premium", "P1Y/m", 40, 340),
        B("power-bi-pro", "P1Y/m", 9, 340),
        B("azure-plan", "once", 1, 420),
        B("windows-365-e", "P1M", 5, 66),
        B("office-e3", "P1Y/m", 12, 760, "expired", ended=19, renews=False),
    ),
    "kestrel-crowe": (
        B("m365-premium", "P1Y/m", 31, 215),
        B("visio-2", "P1Y/m", 6, 215),
        B("project-3", "P1Y/m", 4, 215),
        B("copilot", "P1Y/m", 8, 90, "suspended"),
    ),
    "pennine-outdoor": (
        B("m365-standard", "P1Y/m", 18, 145),
        B("m365-basic", "P1M", 9, 145),
        B("exchange-1", "P1Y/m", 12, 410, "disabled", ended=45, renews=False),
        B("apps-business", "P1M", 3, 215, "deleted", ended=185),
    ),
    "st-aldhelms": (
        B("m365-a3-edu", "P1Y/m", 26, 280),
        B("office-a1-edu", "P1Y/m", 210, 280),
    ),
}
