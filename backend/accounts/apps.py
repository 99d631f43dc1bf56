from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import belongings
        from accounts.people_belongings import PeopleBelongings

        belongings.register(PeopleBelongings())
