from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import belongings
        from accounts.admin_login import AdminLoginForm
        from accounts.people_belongings import PeopleBelongings
        from config.admin_site import operations_site

        belongings.register(PeopleBelongings())
        operations_site().login_form = AdminLoginForm
