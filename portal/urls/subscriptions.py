"""Addresses of subscriptions."""

from django.urls import path

from portal.views import subscriptions

urlpatterns = [
    path("subscriptions/", subscriptions.subscription_list, name="subscription_list"),
    path("subscriptions/<int:pk>/", subscriptions.subscription_detail, name="subscription_detail"),
]
