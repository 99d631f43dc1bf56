from django.apps import AppConfig


class CommandsConfig(AppConfig):
    name = "commands"

    def ready(self) -> None:
        from accounts import belongings
        from commands.belongings import CommandBelongings

        belongings.register(CommandBelongings())
