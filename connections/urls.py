"""Addresses of the app."""

from django.urls import path

from connections import views

app_name = "connections"
urlpatterns = [
    path("connections/", views.connection_list, name="connection_list"),
    path("connections/new/", views.connection_create, name="connection_create"),
    path("connections/new/<slug:kind>/", views.connection_credentials, name="connection_credentials"),
    path("connections/<int:pk>/", views.connection_detail, name="connection_detail"),
    path("connections/<int:pk>/test/", views.connection_test, name="connection_test"),
    path("connections/<int:pk>/refresh/", views.connection_refresh, name="connection_refresh"),
    path("connections/<int:pk>/drop/", views.connection_drop, name="connection_drop"),
    path("connections/<int:pk>/pause/", views.connection_pause, name="connection_pause"),
    path("connections/<int:pk>/resume/", views.connection_resume, name="connection_resume"),
    path("connections/<int:pk>/rename/", views.connection_rename, name="connection_rename"),
    path("connections/<int:pk>/credentials/", views.connection_rotate, name="connection_rotate"),
    path("connections/<int:pk>/retire/", views.connection_retire, name="connection_retire"),
]
