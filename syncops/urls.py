"""Addresses of the app."""

app_name = "syncops"
urlpatterns: list = []
