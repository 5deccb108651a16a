"""Addresses of customers."""

from django.urls import path

from portal.views import customers

urlpatterns = [
    path("customers/", customers.customer_list, name="customer_list"),
    path("customers/<int:pk>/", customers.customer_detail, name="customer_detail"),
]
