"""What a person types into the two connection forms of the demonstration, and one set that every far side refuses."""

from .identity import guid

DEMO_AUTOTASK = {
    "database": "northwind",
    "user_name": "csp-sync@northwindcloud.example",
    "secret": "Sandbox-7fKq2!wZ",
    "integration_code": "NWC7SYNC0DEMO0TRACKING00001",
    "currency": "EUR",
}
"""The API user of the CSP's own Autotask database. `integration_code` is the 27-character tracking identifier."""

DEMO_AUTOTASK_RESELLER = {
    "database": "harbourline",
    "user_name": "api@harbourline.example",
    "secret": "Sandbox-4mTx9?pL",
    "integration_code": "HBL7SYNC0DEMO0TRACKING00002",
    "currency": "GBP",
}
"""The API user of a reseller's Autotask database, which keeps its books in another currency."""

BROKEN_AUTOTASK = DEMO_AUTOTASK | {"secret": "not-the-secret"}
"""A known user with a wrong secret: the zone is found, every other call answers 401."""

DEMO_PARTNER_CENTER = {
    "tenant_id": guid("partner/northwind"),
    "client_id": guid("application/portal"),
    "client_secret": "sbx~Q8portal.demo.secret-0001",
    "refresh_token": "0.AXsandbox-northwind-admin-agent-refresh-token-0001",
    "user_principal_name": "admin.agent@northwindcloud.example",
    "country": "NL",
    "currency": "EUR",
}
"""The application in the CSP's partner tenant, with the refresh token of an Admin Agent who signed in with MFA."""

BROKEN_PARTNER_CENTER = DEMO_PARTNER_CENTER | {"refresh_token": "0.AXsandbox-revoked-refresh-token"}
"""The same application with a revoked refresh token: the token endpoint answers `invalid_grant`."""
