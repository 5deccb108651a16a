"""A case for each reason of the mapping rules."""

from datetime import date
from decimal import Decimal

AZURE = {"offer": {"category": "azure_plan"}, "variant": {"billing": "none"}}
FREE = {"unit_price": Decimal(0), "unit_cost": Decimal(0)}

# What differs from a world where everything fits: fields of our rows and of Autotask's, by noun.
CASES = {
    "subscription": {
        "offer_legacy": {"offer": {"category": "legacy"}},
        "offer_perpetual": {"offer": {"category": "perpetual"}, "variant": {"billing": "one_time"}},
        "offer_azure_reservation": {"offer": {"category": "azure_reservation"}, "variant": {"billing": "one_time"}},
        "billing_not_mappable": {"variant": {"billing": "triennial"}},
        "subscription_ended": {"subscription": {"status": "deleted"}},
        "subscription_currency": {"subscription": {"currency": "USD"}},
    },
    "company": {
        "own_company": {"company": {"remote_id": 0}},
        "company_inactive": {"company": {"is_active": False}},
        "company_type": {"company": {"type_label": "Vendor"}},
        "company_currency": {"company": {"currency": "GBP"}},
        "customer_mapped": {"is_mapped": True},
        "company_taken": {"is_taken": True},
    },
    "service": {
        "service_inactive": {"service": {"is_active": False}},
        "service_period": {"service": {"period": "yearly"}},
        "azure_service_priced": AZURE,
        "offer_mapped": {"is_mapped": True},
        "service_taken": {"is_taken": True},
    },
    "contract": {
        "contract_company": {"contract": {"company_remote_id": 2}},
        "contract_type": {"contract": {"type_label": "Time & Materials"}},
        "contract_inactive": {"contract": {"is_active": False}},
        "contract_ended": {"contract": {"ends_on": date(2026, 5, 9)}},
        "contract_starts_late": {"contract": {"starts_on": date(2026, 5, 1)}},
        "contract_starts_after_mapping": {"contract": {"starts_on": date(2026, 5, 11)}, "was_mapped": True},
        "contract_period": {"contract": {"period": "yearly"}},
        "contract_currency": {"company": {"currency": "GBP"}},
        "azure_contract_day": AZURE | {"contract": {"starts_on": date(2026, 1, 15)}, "service": FREE},
    },
}
WARNINGS = {"azure_contract_ends_soon", "contract_ends_before_term", "contract_renewed"}
OF_ACTIONS = {  # what an action answers where the pair itself fits; each in the tests of that action
    "subscription_mapped", "line_taken", "customer_in_use", "offer_in_use", "customer_not_mapped", "offer_not_mapped",
    "no_contract", "several_contracts", "line_exists", "policy_off", "several_connections", "no_longer_there",
    "not_new", "left_out", "still_billed", "nothing_chosen", "no_single_suggestion", "changed_meanwhile",
    "taken_meanwhile", "not_yours", "not_there",
}  # fmt: skip
