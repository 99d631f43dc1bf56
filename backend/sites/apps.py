from django.apps import AppConfig


class SitesConfig(AppConfig):
    name = "sites"

    def ready(self) -> None:
        from accounts import belongings
        from sites import events
        from sites.belongings import SiteBelongings

        events.connect()
        belongings.register(SiteBelongings())
