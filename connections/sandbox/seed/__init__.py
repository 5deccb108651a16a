"""The demonstration's world: a CSP with two resellers and 25 customers, the same one on every run.

Pure functions of the date they are given, so that whoever shows the data can mirror it exactly.
"""

from .autotask import autotask_databases
from .credentials import (
    BROKEN_AUTOTASK,
    BROKEN_PARTNER_CENTER,
    DEMO_AUTOTASK,
    DEMO_AUTOTASK_RESELLER,
    DEMO_PARTNER_CENTER,
)
from .partner_center import partner_center_data

__all__ = [
    "BROKEN_AUTOTASK",
    "BROKEN_PARTNER_CENTER",
    "DEMO_AUTOTASK",
    "DEMO_AUTOTASK_RESELLER",
    "DEMO_PARTNER_CENTER",
    "autotask_databases",
    "partner_center_data",
]
