"""The WSGI entry: `gunicorn config.wsgi`."""

import os
from typing import Any

import django
import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class Utf8Request(WSGIRequest):
    """Everything is UTF-8, and a `Content-Type` cannot say otherwise.

    Django would decode the address, too, with any codec that Python knows: `charset=zip` is an error of the server
    before there is anything that answers it.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            self.content_type, self.content_params = "", {}


class Handler(WSGIHandler):
    request_class = Utf8Request


django.setup(set_prefix=False)
application = Handler()

if not settings.ENV.https:
    structlog.get_logger().warning(
        "plain http: cookies are sent without Secure; for anything but a look at home, set EMS_ENV=production",
        public_url=settings.PUBLIC_URL,
    )
