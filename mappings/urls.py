"""Addresses of the app."""

app_name = "mappings"
urlpatterns: list = []
