"""Django's admin with our site in it."""

from django.contrib.admin.apps import AdminConfig


class OperationsConfig(AdminConfig):
    default_site = "config.admin_site.OperationsSite"
