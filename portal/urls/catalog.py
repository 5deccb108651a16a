"""Addresses of the catalogue and of carts."""

from django.urls import path

from portal.views import carts, catalog

urlpatterns = [
    path("customers/<int:pk>/catalog/", catalog.catalog, name="catalog"),
    path("customers/<int:pk>/cart/add/", catalog.cart_add, name="cart_add"),
    path("carts/<int:pk>/", carts.cart, name="cart"),
    path("carts/<int:pk>/submit/", carts.order_submit, name="order_submit"),
    path("cart-lines/<int:pk>/", carts.cart_line, name="cart_line"),
]
