"""How answers look on the wire: byte order marks, the several forms of dates, amounts as text, echoed headers."""

import re
import uuid
import zlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ..http import Request, Response, dumps
from .modes import Modes

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})Z")
_BOM = b"\xef\xbb\xbf"


def rendered(response: Response, request: Request, modes: Modes) -> Response:
    """The response as the service would send it."""
    body = response.body
    if body is not None and not isinstance(body, bytes):
        body = dumps(_shaped(body, mixed=modes["dates"] == "mixed", as_text=modes["numbers"] == "strings")).encode()
        is_checkout = request.path.lower().endswith("/checkout")
        if modes["bom"] == "always" or (modes["bom"] == "checkout" and is_checkout):
            body = _BOM + body
    headers = _echoed(request, doubled=modes["doubled_headers"]) | response.headers
    return Response(response.status, body, headers, response.content_type)


def _echoed(request: Request, *, doubled: bool) -> dict[str, str]:
    headers = {name: str(request.headers.get(name) or uuid.uuid4()) for name in ("MS-RequestId", "MS-CorrelationId")}
    if doubled:
        headers = {name: f"{value},{value}" for name, value in headers.items()}
    locale = str(request.headers.get("X-Locale") or "en-US")
    return headers | {"MS-CV": f"{uuid.uuid4().hex[:16]}.0", "MS-ServerId": "020021921", "X-Locale": locale}


def _shaped(value: Any, *, mixed: bool, as_text: bool) -> Any:
    if isinstance(value, Mapping):
        return {name: _shaped(member, mixed=mixed, as_text=as_text) for name, member in value.items()}
    if isinstance(value, list):
        return [_shaped(member, mixed=mixed, as_text=as_text) for member in value]
    if as_text and isinstance(value, Decimal):
        return f"{value:f}"
    return _odd(value) if mixed and isinstance(value, str) else value


def _odd(text: str) -> str:
    """One moment always has the same form: seven digits, six, an offset, or no zone at all."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return text
    day, fraction = match.groups()
    forms = (
        f"{day}.{fraction}4Z",
        f"{day}.{fraction.rstrip('0') or '0'}Z",
        f"{day}.{fraction}+00:00",
        f"{day}.{fraction}",
    )
    return forms[zlib.crc32(text.encode()) % len(forms)]
