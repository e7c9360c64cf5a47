"""All settings, from the environment, with units in their names; safe by default.

What staff should turn (rates, limits, times of a launch) are columns, not settings. A wrong value
stops the start with the name of the variable and what is expected.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import environs
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from fanfare import description, logs, providers, skin
from fanfare.stack import addresses

env = environs.Env()
BASE_DIR = Path(__file__).resolve().parent.parent


def _number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number from the environment, or a start-up error that says what is expected."""
    try:
        value: int = env.int(name, default)
    except environs.EnvValidationError as problem:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from problem
    if value < least:
        raise ImproperlyConfigured(f"{name} must be at least {least}, not {value}.")
    return value


def _flag(name: str, default: bool) -> bool:
    try:
        return bool(env.bool(name, default))
    except environs.EnvValidationError as problem:
        raise ImproperlyConfigured(f"{name} must be true or false.") from problem


# --- Where things are -----------------------------------------------------------------------------
DATA_DIR = addresses.data_dir()
PORT = _number("FANFARE_PORT", addresses.port(DATA_DIR) or 8000, least=1)
PUBLIC_URL: str = env.str("FANFARE_PUBLIC_URL", f"http://localhost:{PORT}").rstrip("/")
# Without DATABASE_URL and REDIS_URL, the servers that `make run` embeds are found by the data directory.
_embedded = addresses.find(DATA_DIR)
DATABASE_URL: str = env.str("DATABASE_URL", _embedded.database_url if _embedded else "")
REDIS_URL: str = env.str("REDIS_URL", _embedded.redis_url if _embedded else "")
if not PUBLIC_URL.startswith(("http://", "https://")) or not urlsplit(PUBLIC_URL).hostname:
    raise ImproperlyConfigured("FANFARE_PUBLIC_URL must be an address such as https://queue.example.com.")
DEBUG = _flag("FANFARE_DEBUG", False)
SECRET_KEY: str = env.str("FANFARE_SECRET_KEY", "") or addresses.secret_key(DATA_DIR) or ""
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured(
        "FANFARE_SECRET_KEY must be at least 32 random characters, for example from "
        "python -c 'import secrets; print(secrets.token_urlsafe(48))'. `make run` makes its own."
    )
ALLOWED_HOSTS: list[str] = env.list(
    "FANFARE_ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_URL).hostname or ""],
)
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if _flag("FANFARE_BEHIND_PROXY", False) else None
)
_https = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_REFERRER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # redirecting to https is the proxy's work
    "django_ratelimit.W001",  # says only that it doesn't know Django's own Redis cache
]

# --- Applications ---------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "fanfare",
    "experiences",
    "consumers",
    "auth_otp",
    "distributions",
]
MIDDLEWARE = [
    "fanfare.middleware.RequestContext",
    "fanfare.health.Probes",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "fanfare.staff.RefuseNul",
    "experiences.gate.StaffGate",
]
ROOT_URLCONF = "fanfare.urls"
WSGI_APPLICATION = "fanfare.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
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
            ]
        },
    }
]
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # straight from the packages: nothing to collect
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
]  # of the hosted pages; the console and the API speak English
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "fanfare.formats"
TIME_ZONE = "UTC"
USE_TZ = True

# --- PostgreSQL and Redis -------------------------------------------------------------------------
LOCK_TIMEOUT_MS = _number("FANFARE_LOCK_TIMEOUT_MS", 3_000)
STATEMENT_TIMEOUT_MS = _number("FANFARE_STATEMENT_TIMEOUT_MS", 15_000)  # 0: none, as workers have it
DB_POOL_SIZE = _number("FANFARE_DB_POOL", 16)  # connections of one web process; 0: no pool


def _database(url: str) -> dict[str, Any]:
    """Django's settings for `postgresql://user:password@host:port/name`."""
    parts = urlsplit(url)
    try:
        port = str(parts.port or "")
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL names no port that is a number.") from None
    if url and parts.scheme not in ("postgres", "postgresql"):
        raise ImproperlyConfigured("DATABASE_URL must be postgresql://user:password@host:port/name.")
    limits = f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}"
    # A threshold of None, Django's default, would forbid all prepared statements, also those that ask to be.
    options: dict[str, Any] = {"options": limits, "connect_timeout": 5, "prepare_threshold": 5}
    if DB_POOL_SIZE:
        options["pool"] = {"min_size": min(2, DB_POOL_SIZE), "max_size": DB_POOL_SIZE, "timeout": 5}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "fanfare",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or "localhost"),
        "PORT": port,
        "OPTIONS": options,
    }


DATABASES = {"default": _database(DATABASE_URL)}
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL must be redis://:password@host:port/number.")
# Rate counters and nothing else: it may be lost at any moment.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},  # seconds
    }
}

# --- API ------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["fanfare.http.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["fanfare.http.JsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "fanfare.http.JsonOnly",
    "DEFAULT_AUTHENTICATION_CLASSES": ["consumers.authentication.CredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["consumers.permissions.HasSecretKey"],
    "EXCEPTION_HANDLER": "fanfare.http.handle",
    "DEFAULT_SCHEMA_CLASS": "fanfare.schema.Description",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = description.SPECTACULAR
MAX_BODY_BYTES = 1024 * 1024  # of any request; the API's own limit is narrower (fanfare.http)
FILE_UPLOAD_HANDLERS: list[str] = []  # nothing takes a file
CSRF_FAILURE_VIEW = "fanfare.middleware.forged"
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [
    "authorization", "content-type", "idempotency-key", "if-none-match", "x-altcha", "x-fingerprint",
    "x-publishable-key", "x-request-id",
]  # fmt: skip
CORS_ALLOW_METHODS = ["GET", "POST", "DELETE"]
CORS_EXPOSE_HEADERS = [
    "ETag", "Retry-After", "X-Fingerprint-Error", "X-Fingerprint-Mismatch", "X-RateLimit-Limit",
    "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-Id",
]  # fmt: skip
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Alpine in the console and Swagger UI evaluate and inline; neither loads from another host.
        "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "https:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Lifetimes and limits -------------------------------------------------------------------------
ACCESS_TOKEN_SECONDS = _number("FANFARE_ACCESS_TOKEN_SECONDS", 3_600, least=60)
REFRESH_TOKEN_SECONDS = _number("FANFARE_REFRESH_TOKEN_SECONDS", 30 * 86_400, least=3_600)
REFRESH_GRACE_SECONDS = 60  # a spent refresh token still answers as before: the answer may be lost
METRICS_TOKEN: str = env.str("FANFARE_METRICS_TOKEN", "")  # empty: /metrics answers this machine alone
MEMO_SECONDS = 1.0  # how long a process remembers keys, organizations and settings of distributions

EXCHANGE_CODE_SECONDS = _number("FANFARE_EXCHANGE_CODE_SECONDS", 60, least=10)
OTP_SECONDS = _number("FANFARE_OTP_SECONDS", 600, least=60)
OTP_RESEND_SECONDS = _number("FANFARE_OTP_RESEND_SECONDS", 30, least=1)  # before the second; then doubled
SESSIONS_KEPT_SECONDS = 7 * 86_400  # sessions that are over, for staff to look at
CODES_KEPT_SECONDS = 7 * 86_400  # codes and messages that are over, likewise; limits look back a day

# --- Mail and SMS: shown under `make run`, sent where a provider is named, refused otherwise ------
_shown = "outbox:" if _embedded else ""


def _provider(name: str, read: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    try:
        return read(env.str(name, _shown))
    except ValueError as problem:
        raise ImproperlyConfigured(f"{name} must be an address such as {problem}.") from None


_mail = _provider("FANFARE_EMAIL_URL", providers.email)
EMAIL_BACKEND: str = _mail["EMAIL_BACKEND"]
EMAIL_HOST: str = _mail.get("EMAIL_HOST", "")
EMAIL_PORT: int = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER: str = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD: str = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS: bool = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL: bool = _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT: int | None = _mail.get("EMAIL_TIMEOUT")
EMAIL_FILE_PATH: str | None = _mail.get("EMAIL_FILE_PATH")
DEFAULT_FROM_EMAIL: str = env.str("FANFARE_EMAIL_FROM", f"no-reply@{urlsplit(PUBLIC_URL).hostname}")
SMS_BACKEND, SMS_URL = _provider("FANFARE_SMS_URL", providers.sms).values()
SMS_TOKEN: str = env.str("FANFARE_SMS_TOKEN", "")

# --- The beacon of draws that name one: a relay of drand's HTTP API; empty: staff bring the value ---
BEACON_URL: str = env.str("FANFARE_BEACON_URL", "https://api.drand.sh")
if BEACON_URL and not BEACON_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured("FANFARE_BEACON_URL must be an address such as https://api.drand.sh.")
BEACON_FETCHER = f"distributions.draws.beacon.{'over_http' if BEACON_URL else 'by_staff'}"

# --- Celery: the alarm clock; PostgreSQL holds all state ------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A killed worker's tasks come back when they have been out for `visibility_timeout` (above the
# longest task); both `unacked` options make the sweep look each second instead of every 100.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": CELERY_TASK_TIME_LIMIT + 60,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
}

DJANGO_STRUCTLOG_CELERY_ENABLED = True

# --- Logs: one event a line, with the request's id; never a header, a body or a token -------------
LOG_FORMAT: str = env.str("FANFARE_LOG_FORMAT", "console")
LOG_LEVEL: str = env.str("FANFARE_LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    raise ImproperlyConfigured("FANFARE_LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")
if LOG_FORMAT not in ("console", "json"):
    raise ImproperlyConfigured("FANFARE_LOG_FORMAT must be console or json.")
LOGGING = logs.configure(LOG_FORMAT, LOG_LEVEL)

# --- Console: its look and its menu are in fanfare.skin -------------------------------------------
OTP_TOTP_ISSUER = "Fanfare"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
UNFOLD = skin.UNFOLD
LOGIN_REDIRECT_URL = "/admin/"  # whoever signs in without having asked for a page
