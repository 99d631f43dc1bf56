from django.apps import AppConfig
from django.db.backends.signals import connection_created


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from audit import context

        connection_created.connect(context.listen, dispatch_uid="audit:context")
