"""Django's settings. Every value that differs between installations comes from `env.py`; nothing else reads it."""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from corsheaders.defaults import default_headers
from django.utils.csp import CSP

from config.env import read

ENV = read(os.environ)
BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = ENV.secret_key
DEBUG = ENV.debug
ALLOWED_HOSTS = ENV.allowed_hosts
PUBLIC_URL = ENV.public_url
REDIS_URL = ENV.redis_url
EDGE_REDIS_URL = ENV.edge_redis_url

INSTALLED_APPS = [
    "config.admin_app.OperationsConfig",  # Django's admin, with our site
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "drf_spectacular_sidecar",
    "audit",
    "accounts",
    "sites",
    "invitations",
    "commands",
    "telemetry",
    "testing",
    "worker",
]

MIDDLEWARE = [
    "config.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.AdminActorMiddleware",
    "accounts.authentication.CallerMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
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

# Data ------------------------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {"default": ENV.database}
HISTORY_ALIAS = "default"
if ENV.history is not None:
    HISTORY_ALIAS = "history"
    DATABASES[HISTORY_ALIAS] = ENV.history
DATABASE_ROUTERS = ["config.routers.HistoryRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "django",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cache"

# The audit log ---------------------------------------------------------------------------------------------------

AUDIT_ANCHORS = Path(ENV.audit_anchors) if ENV.audit_anchors else None
AUDIT_OWN_CONNECTION = ENV.mode != "test"  # a test's transaction is seen by its own connection only

# People ----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("UserAttributeSimilarityValidator", {"user_attributes": ("email", "name")}),
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
if ENV.mode == "test":  # a slow hash would be most of the tests' time
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _derived_key(purpose: str) -> str:
    """One key per purpose, so that a leak of one says nothing about the others."""
    return hmac.digest(SECRET_KEY.encode(), purpose.encode(), hashlib.sha256).hex()


REFRESH_LIFETIME = timedelta(days=14)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": _derived_key("jwt"),
    "ISSUER": "ems-backend",
    "AUDIENCE": "ems",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": REFRESH_LIFETIME,
    "UPDATE_LAST_LOGIN": False,
}
EDGE_PASSWORD_KEY = _derived_key("edge-redis-password")
RECOVERY_CODE_KEY = _derived_key("recovery-codes")
REFRESH_COOKIE = "ems_refresh"
REFRESH_COOKIE_PATH = "/api/auth"

# django-otp's own delay doubles with every failure, without an end: whoever knows the password could lock the owner
# out for years. `accounts.throttles` counts codes instead.
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0
OTP_TOTP_ISSUER = "SimTestLab EMS"
OTP_ADMIN_HIDE_SENSITIVE_DATA = True

# Failures allowed in a window of so many s; see `accounts.throttles`.
GUESSES = {"pair": (10, 900), "address": (100, 900), "account": (100, 3600), "mails": (20, 3600)}

MAILERS = {"default": ENV.mailer}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV.email_from

TRUSTED_PROXIES = ENV.trusted_proxies
PROXY_NETWORKS = ENV.proxy_networks

# The API ---------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["config.permissions.Undeclared"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.negotiation.OnlyChoice",
    "DEFAULT_PAGINATION_CLASS": "config.pagination.Pages",
    "PAGE_SIZE": 100,
    "DEFAULT_SCHEMA_CLASS": "config.openapi.Described",
    "EXCEPTION_HANDLER": "config.problems.handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SimTestLab EMS",
    "DESCRIPTION": "Organizations, sites, points and history. Errors are problem details (RFC 9457).",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.describe_problems",
        "config.openapi.give_examples",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ActionEnum": "sites.serializers.choices.ACTIONS",
        "AssetKindEnum": "sites.models.Asset.Kind",
        "CommandStateEnum": "commands.models.STATES",
        "ControlActionEnum": "commands.models.ACTIONS",
        "MembershipRoleEnum": "accounts.models.Membership.Role",
        "PointKindEnum": "sites.serializers.choices.KINDS",
        "RoleEnum": "sites.serializers.choices.ROLES",
        "SiteRoleEnum": "sites.serializers.choices.ROLES_ON_SITES",
    },
}
CORS_ALLOWED_ORIGINS = ENV.cors_origins
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [*default_headers, "x-request-id"]
CORS_EXPOSE_HEADERS = ["X-Request-ID"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL, *ENV.cors_origins]
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024  # the largest report of points that is accepted has 5 MB

# The browser -----------------------------------------------------------------------------------------------------

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "form-action": [CSP.SELF],
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 12 * 3600  # of the admin, which alone uses sessions
CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = REFRESH_COOKIE_SECURE = ENV.https
if ENV.mode == "production":
    # TLS ends at the ingress, which says so in this header and answers plain http with a redirect.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SILENCED_SYSTEM_CHECKS = [
        "security.W008",  # redirecting here would also redirect the services that call us inside the cluster
        "security.W021",  # HSTS preload is a promise that only the owner of the domain can make
    ]

STATIC_URL = "static/"
STATIC_ROOT = ENV.static_root
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
WHITENOISE_USE_FINDERS = True  # serves the admin's and the API documentation's files without a collectstatic
WHITENOISE_AUTOREFRESH = DEBUG or ENV.mode == "test"  # every test client would list all files first

# Language, time, logs ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["config.formats"]
USE_TZ = True
LOGGING_CONFIG = "config.logs.configure"
LOGGING = {"service": "backend", "level": ENV.log_level}
