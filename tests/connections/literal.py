"""A client whose zone answers what a test writes down: what Autotask's documentation and live tenants show."""

import json
from uuid import uuid4

from django.core.cache import cache

from connections.psa.autotask.api import Api, Credentials
from connections.psa.autotask.client import AutotaskPsa
from connections.psa.autotask.zone import Zone
from tests.connections.far_sides import Unlimited

BASE = "https://webservices14.autotask.net/ATServicesRest/V1.0"
DIRECTORY = "https://webservices.autotask.net/atservicesrest/v1.0/zoneInformation"


def a_psa(keep_zone):
    """The client of an API user that impersonates resource 29."""
    credentials = Credentials("api@example.com", "s3cret!", "T" * 27, impersonate_resource_id=29)
    zone = Zone(BASE, "https://ww14.autotask.net")
    api = Api(credentials, key=str(uuid4()), budget=Unlimited(), cache=cache, zone=zone, keep_zone=keep_zone)
    return AutotaskPsa(api)


def picklist(name, **labels):
    values = [{"value": value, "label": label, "isActive": True} for label, value in labels.items()]
    return {"name": name, "dataType": "integer", "isPickList": True, "picklistValues": values}


def sent(call):
    return json.loads(call.request.body)
