"""All settings. Everything is optional in the environment; the defaults run the portal whole on one machine with
SQLite.
"""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from portal.environment import Environment, refuse_unknown

BASE_DIR = Path(__file__).resolve().parent.parent
refuse_unknown()
env = Environment()

DATA_DIR = env.path("PORTAL_DATA_DIR", BASE_DIR / "data")
KEY_DIR = DATA_DIR / "keys"
DEBUG = env.flag("PORTAL_DEBUG", False)
SECRET_KEY = env.secret("PORTAL_SECRET_KEY", kept_in=KEY_DIR / "secret_key")
FIELD_KEYS = env.secret("PORTAL_FIELD_KEYS", kept_in=KEY_DIR / "field_keys")
AUDIT_KEY = env.secret("PORTAL_AUDIT_KEY", kept_in=KEY_DIR / "audit_key")

PUBLIC_URL = env.url("PORTAL_PUBLIC_URL", "http://localhost:8000")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "localhost"
SECURE = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.names("PORTAL_ALLOWED_HOSTS", f"{PUBLIC_HOST},localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
TRUSTED_PROXIES = env.number("PORTAL_TRUSTED_PROXIES", 0)

# The far sides. The product cannot tell a stand-in from the service: only these addresses differ.
AUTOTASK_ZONE_URL = env.url("AUTOTASK_ZONE_URL", "https://webservices.autotask.net/atservicesrest/v1.0/zoneInformation")
PARTNER_CENTER_URL = env.url("PARTNER_CENTER_URL", "https://api.partnercenter.microsoft.com")
PARTNER_CENTER_LOGIN_URL = env.url("PARTNER_CENTER_LOGIN_URL", "https://login.microsoftonline.com")
PARTNER_CENTER_GRAPH_URL = env.url("PARTNER_CENTER_GRAPH_URL", "https://graph.microsoft.com")
PARTNER_CENTER_CERTIFICATE_HOSTS = env.names(
    "PARTNER_CENTER_CERTIFICATE_HOSTS", "3psostorageacct.blob.core.windows.net"
)

# The floor calls nobody above it by import: these dotted names are where the higher apps plug in.
PORTAL_PROVIDER = "connections.provider.partner_center.provider.for_organization"
PORTAL_CHANGE_LISTENERS = ["syncops.recorded.plan_change", "syncops.newcomers.meet"]
PORTAL_MARGIN_LISTENERS = ["syncops.margins.plan_margins"]
PORTAL_WORKPLACES = [
    "portal.tasks",
    "portal.import_tasks",
    "connections.tasks",
    "connections.provider_tasks",
    "mappings.tasks",
    "syncops.tasks",
    "syncops.mapping_tasks",
]

INSTALLED_APPS = [
    "portal",
    "connections",
    "mappings",
    "syncops",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.microsoft",
    "allauth.usersessions",
    "csp",
    "django_filters",
    "django_htmx",
    "django_q",
    "lucide",
    "template_partials",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "portal.middleware.LogContextMiddleware",
    "portal.middleware.ZoneMiddleware",
    "portal.middleware.PolicyMiddleware",
    "portal.middleware.MfaMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.navigation",
            ],
            "builtins": ["template_partials.templatetags.partials", "portal.templatetags.portal"],
        },
    }
]

# Data: SQLite by default, durable and with writers that queue instead of failing; PostgreSQL by DATABASE_URL.
SQLITE_PRAGMAS = "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA journal_size_limit=67108864;"
_database_url = env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'portal.sqlite3'}")
try:
    DATABASES = {"default": dj_database_url.parse(_database_url, conn_max_age=60, conn_health_checks=True)}
except (ValueError, dj_database_url.ParseError) as error:
    raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": SQLITE_PRAGMAS}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The queue only wakes; rows are the truth. Messages are pickles signed with SECRET_KEY: they carry ids and nothing
# else.
QUEUE_URL = env.text("QUEUE_URL", "orm://")
Q_CLUSTER = {
    "name": "portal",
    "workers": 2,
    "queue_limit": 2,
    "bulk": 1,
    "poll": 0.2,
    "timeout": 240,
    "retry": 600,
    "ack_failures": True,
    "max_attempts": 1,
    "save_limit": -1,
    "catch_up": False,
    "recycle": 500,
    "max_rss": 300_000,
    "guard_cycle": 0.5,
    "cache": "qstat",
    "label": "Queue",
    "ALT_CLUSTERS": {},
}
if QUEUE_URL.startswith(("redis://", "rediss://")):
    Q_CLUSTER |= {"redis": QUEUE_URL, "workers": 4, "queue_limit": 4}
elif QUEUE_URL == "orm://":
    Q_CLUSTER |= {"orm": "default"}
else:
    raise ImproperlyConfigured("QUEUE_URL must be orm:// or a redis:// address.")
EXECUTOR = {
    "drain_budget_s": 30,
    "connect_timeout_s": 5,
    "read_timeout_s": 60,
    "lease_s": 120,
    "guard_margin_s": 15,
    "quiet_s": 300,
    "threads": 3,
    "retries": 5,
    "sweep_every_min": 1,
}

CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": QUEUE_URL, "KEY_PREFIX": "portal"}
        if QUEUE_URL.startswith("redis")
        else {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": DATA_DIR / "cache"}
    ),
    "qstat": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": DATA_DIR / "run" / "qstat"},
}

# People
AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "portal.accounts.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_MAX_EMAIL_ADDRESSES = 1  # people are known by the one address that they were invited by
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "CSP Portal"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up: an administrator vouches for the address
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
SOCIALACCOUNT_ADAPTER = "portal.accounts.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
MICROSOFT_CLIENT_ID = env.text("PORTAL_MICROSOFT_CLIENT_ID", "")
SOCIALACCOUNT_PROVIDERS = (
    {
        "microsoft": {
            "APPS": [
                {
                    "client_id": MICROSOFT_CLIENT_ID,
                    "secret": env.secret(
                        "PORTAL_MICROSOFT_CLIENT_SECRET", kept_in=KEY_DIR / "microsoft_client_secret_unset"
                    ),
                    "settings": {"tenant": env.text("PORTAL_MICROSOFT_TENANT", "organizations")},
                }
            ]
        }
    }
    if MICROSOFT_CLIENT_ID
    else {}
)
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "portal_session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "portal_csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF, "https://login.microsoftonline.com"] if MICROSOFT_CLIENT_ID else [SELF],
        "frame-ancestors": [NONE],
    }
}

# Mail, language, files, logs
EMAIL_URL = env.text("PORTAL_EMAIL_URL", "console:")
vars().update(dj_email_url.parse(EMAIL_URL))
DEFAULT_FROM_EMAIL = SERVER_EMAIL = f"portal@{PUBLIC_HOST}"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGGING_CONFIG = "portal.logs.configure"
LOGGING = {"level": env.text("PORTAL_LOG_LEVEL", "INFO").upper(), "json": not DEBUG}
