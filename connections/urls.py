"""Addresses of the app."""

app_name = "connections"
urlpatterns: list = []
