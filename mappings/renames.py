"""Microsoft's renames of products: what an offer is called now, for what a service in the PSA may still be called.

Source: Microsoft's announcements, named beside each; only the name changed, not the product.
"""

from __future__ import annotations

# Old words -> today's words, both normalised (mappings.matching.normalised); whole words, in this order.
RENAMES: tuple[tuple[str, str], ...] = (
    # "New Microsoft 365 offerings for small and medium-sized businesses", 30 March 2020, effective 21 April 2020
    ("office 365 business essentials", "microsoft 365 business basic"),
    ("office 365 business premium", "microsoft 365 business standard"),
    ("office 365 business", "microsoft 365 apps for business"),
    ("office 365 proplus", "microsoft 365 apps for enterprise"),
    # "Azure AD is becoming Microsoft Entra ID", 11 July 2023
    ("azure active directory premium", "microsoft entra id"),
    ("azure ad premium", "microsoft entra id"),
    # "Microsoft Defender" for what was "Advanced Threat Protection", Ignite, 22 September 2020
    ("office 365 advanced threat protection", "microsoft defender for office 365"),
    ("microsoft defender advanced threat protection", "microsoft defender for endpoint"),
    ("azure advanced threat protection", "microsoft defender for identity"),
    # "The new Microsoft Planner", 2024: Project for the web and its plans
    ("project plan 3", "planner and project plan 3"),
    ("project plan 5", "planner and project plan 5"),
    ("project plan 1", "planner plan 1"),
)


def todays_name(normalised_name: str) -> str:
    """The normalised name with the first old name in it replaced by today's."""
    padded = f" {normalised_name} "
    for old, new in RENAMES:
        if f" {old} " in padded and f" {new} " not in padded:
            return padded.replace(f" {old} ", f" {new} ", 1).strip()
    return normalised_name
