"""Support staff find every table of the portal."""

import pytest
from django.apps import apps
from django.contrib import admin

OURS = ("portal", "connections", "mappings", "syncops")
MODELS = [model for app in OURS for model in apps.get_app_config(app).get_models()]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_model_is_registered_and_searchable(model):
    assert admin.site.is_registered(model)
    assert admin.site.get_model_admin(model).search_fields
