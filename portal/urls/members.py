"""Addresses of members."""

from django.urls import path

from portal.views import members

urlpatterns = [
    path("members/", members.member_list, name="members"),
    path("members/invite/", members.member_invite, name="member_invite"),
    path("members/<int:pk>/", members.member_edit, name="member_edit"),
    path("members/<int:pk>/invite-again/", members.member_invite_again, name="member_invite_again"),
]
