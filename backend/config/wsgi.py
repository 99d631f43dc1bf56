"""The WSGI entry: `gunicorn config.wsgi`."""

import os

import structlog
from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

if not settings.ENV.https:
    structlog.get_logger().warning(
        "plain http: cookies are sent without Secure; for anything but a look at home, set EMS_ENV=production",
        public_url=settings.PUBLIC_URL,
    )
