"""Pure: names without what people leave out when they search, case and accents."""

import unicodedata


def without_accents(text: str) -> str:
    """Without case, accents and compatibility forms: "Müller Straße ﬁx" becomes "muller strasse fix"."""
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def folded(*texts: str, at_most: int = 500) -> str:
    """What is stored for searching: the texts without accents, each word once, cut to the column's length.

    Folding can lengthen a text, so the cut is needed even where the text itself fits the column.
    """
    words = dict.fromkeys(word for text in texts for word in without_accents(text).split())
    return " ".join(words)[:at_most]
