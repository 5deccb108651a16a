"""Addresses of the app."""

from collections.abc import Iterator

from django.urls import URLPattern, path

from mappings.boards import BOARDS
from mappings.views import boards, creating, matching, pickers

app_name = "mappings"
PLACE = "connections/<int:connection_id>/subscriptions/<int:subscription_id>"


def of_board(noun: str, nouns: str) -> Iterator[URLPattern]:
    """The addresses of one mapping page: its list, its rows, and what is done to them."""
    page, which = f"connections/<int:connection_id>/{nouns}/", {"nouns": nouns}
    yield path(page, boards.mapping_board, which, name=f"{noun}_mapping")
    yield path(f"{page}bulk/", boards.mapping_bulk, which, name=f"{noun}_bulk")
    yield path(f"{page}export/<slug:kind>/", boards.mapping_export, which, name=f"{noun}_export")
    yield path(f"{page}match/", matching.mapping_match, which, name=f"{noun}_match")
    yield path(f"{page}match/cancel/", matching.match_cancel, which, name=f"{noun}_match_cancel")
    yield path(f"{page}<int:pk>/", boards.mapping_row, which, name=f"{noun}_row")
    yield path(f"{page}<int:pk>/remove/", boards.mapping_remove, which, name=f"{noun}_remove")
    yield path(f"{page}<int:pk>/reject/", boards.mapping_reject, which, name=f"{noun}_reject")


urlpatterns = [
    path("mappings/", boards.mapping_home, name="mapping_home"),
    *(pattern for board in BOARDS.values() for pattern in of_board(board.noun, board.nouns)),
    path("connections/<int:connection_id>/offers/<int:pk>/create/", creating.service_create, name="service_create"),
    path(f"{PLACE}/contracts/new/", creating.contract_create, name="contract_create"),
    path("mappings/created/<int:pk>/", creating.creation_detail, name="creation_detail"),
    path(f"{PLACE}/companies/", pickers.company_picker, name="company_picker"),
    path(f"{PLACE}/services/", pickers.service_picker, name="service_picker"),
    path(f"{PLACE}/contracts/", pickers.contract_picker, name="contract_picker"),
]
