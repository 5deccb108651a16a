"""Calendar dates in words, the same on pages and in what the product says."""

from datetime import date

NO_BREAK = "\u00a0"


def in_words(day: date) -> str:
    """5 May 2026, held together by spaces that do not break."""
    return f"{day.day}{NO_BREAK}{day:%b}{NO_BREAK}{day.year}"
