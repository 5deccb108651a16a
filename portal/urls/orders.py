"""Addresses of orders, and of changing how many were bought."""

from django.urls import path

from portal.views import orders, quantity

urlpatterns = [
    path("orders/", orders.order_list, name="order_list"),
    path("orders/<int:pk>/", orders.order_detail, name="order_detail"),
    path("orders/<int:pk>/state/", orders.order_state, name="order_state"),
    path("orders/<int:pk>/resume/", orders.order_resume, name="order_resume"),
    path("orders/<int:pk>/give-up/", orders.order_give_up, name="order_give_up"),
    path("subscriptions/<int:pk>/quantity/", quantity.subscription_quantity, name="subscription_quantity"),
    path("subscriptions/<int:pk>/quantity/state/", quantity.quantity_state, name="quantity_state"),
    path("subscriptions/<int:pk>/quantity/resume/", quantity.quantity_resume, name="quantity_resume"),
]
