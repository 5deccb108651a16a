"""Strict reading of the environment: every variable is typed, secrets may come from files, and a misspelt name is an
error.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

KNOWN = frozenset(
    {
        "PORTAL_ALLOWED_HOSTS",
        "PORTAL_AUDIT_KEY",
        "PORTAL_DATA_DIR",
        "PORTAL_DEBUG",
        "PORTAL_EMAIL_URL",
        "PORTAL_FIELD_KEYS",
        "PORTAL_LOG_LEVEL",
        "PORTAL_MICROSOFT_CLIENT_ID",
        "PORTAL_MICROSOFT_CLIENT_SECRET",
        "PORTAL_MICROSOFT_TENANT",
        "PORTAL_PUBLIC_URL",
        "PORTAL_SECRET_KEY",
        "PORTAL_TRUSTED_PROXIES",
    }
)


def refuse_unknown(environ: Mapping[str, str] = os.environ) -> None:
    """Raise ImproperlyConfigured for a PORTAL_… variable that nothing reads: it is nearly always a typing error."""
    for name in sorted(environ):
        if name.startswith("PORTAL_") and name.removesuffix("_FILE") not in KNOWN:
            raise ImproperlyConfigured(f"{name} is not a setting of the portal. Known: {', '.join(sorted(KNOWN))}.")


class Environment:
    """Typed access to environment variables; every failure names the variable and what it should hold."""

    def __init__(self) -> None:
        self._env = Env()

    def text(self, name: str, default: str) -> str:
        return str(self._env.str(name, default))

    def flag(self, name: str, default: bool) -> bool:
        try:
            return bool(self._env.bool(name, default))
        except EnvError as error:
            raise ImproperlyConfigured(f"{name} must be true or false: {error}") from error

    def number(self, name: str, default: int) -> int:
        try:
            return int(self._env.int(name, default))
        except EnvError as error:
            raise ImproperlyConfigured(f"{name} must be a whole number: {error}") from error

    def names(self, name: str, default: str) -> list[str]:
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def url(self, name: str, default: str) -> str:
        """An absolute http or https address without a trailing slash."""
        value = self.text(name, default).rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ImproperlyConfigured(f"{name} must be an http or https address, not {value!r}.")
        return value

    def path(self, name: str, default: Path) -> Path:
        return Path(self.text(name, str(default))).expanduser().resolve()

    def secret(self, name: str, *, kept_in: Path) -> str:
        """The value of NAME, else the content of the file that NAME_FILE names, else a random one kept in `kept_in`
        (mode 0600).
        """
        if name in os.environ:
            return self.text(name, "")
        if file := os.environ.get(f"{name}_FILE"):
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from error
        return kept_secret(kept_in)


def kept_secret(file: Path) -> str:
    """The secret kept in `file`; made on first use by whichever process comes first."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        if not file.exists():
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48), encoding="utf-8")
            try:
                os.link(draft, file)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"The key file {file} cannot be made or read: {error}") from error
