from django.apps import AppConfig


class SitesConfig(AppConfig):
    name = "sites"

    def ready(self) -> None:
        from accounts import belongings
        from sites.belongings import SiteBelongings

        belongings.register(SiteBelongings())
