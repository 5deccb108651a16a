"""Picklists: the integers that Autotask keeps in a field, with the labels that its field information gives for them.

The integers of period types, contract types, company types and charge states are those seen in live tenants; the rest
differ per tenant, so a client has to read them.
"""

from typing import Any

MONTHLY, QUARTERLY, SEMI_ANNUALLY, YEARLY = 2, 3, 4, 5
RECURRING_SERVICE = 7
PREPAID = (4, 6, 8)  # block hours, retainer, per ticket: bought in advance, so they take no charges of other kinds
CONTRACT_INACTIVE, CONTRACT_ACTIVE = 0, 1
CUSTOMER, VENDOR = 1, 6
MATERIAL_CODE, RECURRING_SERVICE_CODE = 4, 5
CHARGE_ITEM, RECURRING_ITEM, RECURRING_ADJUSTMENT_ITEM = 4, 8, 9

_PERIODS = {MONTHLY: "Monthly", QUARTERLY: "Quarterly", SEMI_ANNUALLY: "Semi-Annually", YEARLY: "Yearly"}
_ITEMS = {1: "Labor", CHARGE_ITEM: "Contract Charge", 6: "Subscription", 7: "Setup Fee"} | {
    RECURRING_ITEM: "Recurring Services",
    RECURRING_ADJUSTMENT_ITEM: "Recurring Services Adjustment",
}

PICKLISTS: dict[tuple[str, str], dict[int, str]] = {
    ("Company", "companyType"): {
        CUSTOMER: "Customer",
        2: "Lead",
        3: "Prospect",
        4: "Dead",
        5: "Cancellation",
        VENDOR: "Vendor",
        7: "Partner",
    },
    ("Company", "invoiceMethod"): {0: "None", 1: "Print", 2: "Email", 3: "PrintAndEmail"},
    ("Contract", "contractType"): {
        1: "Time & Materials",
        3: "Fixed Price",
        4: "Block Hours",
        6: "Retainer",
        RECURRING_SERVICE: "Recurring Service",
        8: "Per Ticket",
        9: "Umbrella",
    },
    ("Contract", "contractPeriodType"): _PERIODS,
    ("Contract", "status"): {CONTRACT_INACTIVE: "Inactive", CONTRACT_ACTIVE: "Active"},
    ("Contract", "billingPreference"): {1: "Immediately without review", 2: "Manually", 3: "On timesheet approval"},
    ("Contract", "timeReportingRequiresStartAndStopTimes"): {0: "False", 1: "True"},
    ("Service", "periodType"): _PERIODS,
    ("Product", "periodType"): {1: "One-Time"} | _PERIODS,
    ("ContractCharge", "chargeType"): {1: "Operational", 2: "Capitalized"},
    ("ContractCharge", "status"): {
        1: "Pending",
        2: "Waiting Approval",
        3: "Need to Order/Fulfill",
        4: "On Order",
        6: "Ready to Deliver/Ship",
        7: "Delivered/Shipped Full",
        8: "Canceled",
    },
    ("BillingCode", "billingCodeType"): {0: "Normal", 1: "System", 2: "Non-Billable"},
    ("BillingCode", "useType"): {
        1: "General Allocation Code",
        2: "Internal Allocation Code",
        3: "Expense Category",
        MATERIAL_CODE: "Material Cost Code",
        RECURRING_SERVICE_CODE: "Recurring Contract Service Code",
        6: "Milestone Code",
    },
    ("BillingItem", "billingItemType"): _ITEMS,
    ("BillingItem", "subType"): _ITEMS,
}


def picklist_values(entity: str, field: str) -> list[dict[str, Any]]:
    """The values of a picklist as field information shows them; `value` is text that holds the integer."""
    return [
        {
            "value": str(value),
            "label": label,
            "isDefaultValue": False,
            "sortOrder": place,
            "parentValue": "",
            "isActive": True,
            "isSystem": True,
        }
        for place, (value, label) in enumerate(PICKLISTS.get((entity, field), {}).items(), 1)
    ]
