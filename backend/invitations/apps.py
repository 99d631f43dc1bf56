from django.apps import AppConfig


class InvitationsConfig(AppConfig):
    name = "invitations"

    def ready(self) -> None:
        from accounts import belongings
        from accounts.actions.users import person_erased
        from invitations.belongings import InvitationBelongings, forget_address

        belongings.register(InvitationBelongings())
        person_erased.connect(forget_address, dispatch_uid="invitations:forget")
