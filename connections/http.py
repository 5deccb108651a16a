"""One request to a far side and what became of it: answered whole, sent without an answer, or surely not sent.

Nothing is repeated here. Redirects are not followed, because requests would forward the headers that carry the
credentials to the other host. Neither proxies nor credentials are taken from the environment.
"""

import os
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError
from urllib3.exceptions import HTTPError as BrokenOff
from urllib3.exceptions import SSLError as TlsError

MAX_BYTES = 32 * 1024 * 1024
CHUNK = 64 * 1024
IDLE_S = 20.0


class NotSent(Exception):
    """The request never reached the far side: its name, address or certificate failed. The text says which."""


class NoAnswer(Exception):
    """The request may have reached the far side, and no whole answer came back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: any status. Header names are compared without case; `content` is decompressed."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8-sig", errors="replace")


@dataclass
class _Kept:
    session: requests.Session
    used: float


class _Sessions(threading.local):
    def __init__(self) -> None:
        self.kept: dict[tuple[int, str], _Kept] = {}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to connect, and to wait for each part of the answer; both together bound the whole answer."""

    connect: float = field(default_factory=lambda: float(settings.EXECUTOR["connect_timeout_s"]))
    read: float = field(default_factory=lambda: float(settings.EXECUTOR["read_timeout_s"]))


_sessions = _Sessions()


def session_for(key: str) -> requests.Session:
    """The session of this key (a connection) in this process and thread; a forked child makes its own.

    A connection that idled is not trusted with the next request: a far side that closes it at that very moment would
    leave a write without an answer.
    """
    place, now = (os.getpid(), key), time.monotonic()
    kept = _sessions.kept.get(place)
    if kept is None:
        kept = _sessions.kept[place] = _Kept(_new_session(), now)
    elif now - kept.used > IDLE_S:
        kept.session.close()
    kept.used = now
    return kept.session


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for prefix in ("https://", "http://"):
        session.mount(prefix, HTTPAdapter(max_retries=0, pool_connections=2, pool_maxsize=2))
    return session


def send(
    key: str,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> Answer:
    """Send once, in the session of `key`. Raises NotSent or NoAnswer; every status that comes back is an Answer."""
    timeouts = Timeouts()
    deadline = time.monotonic() + timeouts.connect + timeouts.read
    try:
        with session_for(key).request(
            method,
            url,
            params=params,
            data=data,
            headers={name: value if value.isascii() else value.encode() for name, value in headers.items()},
            timeout=(timeouts.connect, timeouts.read),
            allow_redirects=False,
            stream=True,
        ) as response:
            return Answer(response.status_code, response.headers, _content(response, deadline))
    except requests.RequestException as error:
        if _surely_not_sent(error):
            raise NotSent(_reason(error)) from error
        raise NoAnswer(_reason(error)) from error
    except BrokenOff as error:
        raise NoAnswer(_reason(error)) from error


def _content(response: requests.Response, deadline: float) -> bytes:
    """The body, given up where it is larger than MAX_BYTES or drips in for longer than the time-outs allow."""
    content = bytearray()
    # read1 hands over what has arrived; a plain read would wait for a whole chunk and never look at the clock.
    while part := response.raw.read1(CHUNK, decode_content=True):
        content += part
        if len(content) > MAX_BYTES:
            raise NoAnswer(f"the answer is larger than {MAX_BYTES // 1024 // 1024} MB")
        if time.monotonic() > deadline:
            raise NoAnswer("the answer did not end in time")
    return bytes(content)


def _surely_not_sent(error: requests.RequestException) -> bool:
    """True for failures before the first byte of the request: a bad address, no connection, no trusted certificate.

    Other TLS errors do not count: a connection that is cut off while the answer is read raises the same class.
    """
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL | ValueError):
        return True
    return _distrusted(error) or isinstance(_cause(error), NewConnectionError | ConnectTimeoutError)


def _distrusted(error: requests.RequestException) -> bool:
    cause = _cause(error)
    return isinstance(cause, TlsError) and any(isinstance(arg, ssl.SSLCertVerificationError) for arg in cause.args)


def _cause(error: requests.RequestException) -> object:
    """What urllib3 gave as the reason, None where it gave none."""
    return getattr(error.args[0], "reason", None) if error.args else None


def _reason(error: requests.RequestException | BrokenOff) -> str:
    """What failed, without the address and the parameters that requests puts into its texts."""
    if isinstance(error, requests.ConnectTimeout):
        return "it did not accept a connection in time"
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return "it did not answer in time"
    if isinstance(error, requests.RequestException) and _distrusted(error):
        return "its certificate is not trusted"
    if isinstance(error, requests.RequestException) and _surely_not_sent(error):
        return "it cannot be reached"
    return "the connection broke before the whole answer was there"
