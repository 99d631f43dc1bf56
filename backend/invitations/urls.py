"""Under /api/."""

from django.urls import path

from invitations import acceptance_views, views

urlpatterns = [
    path("invitations", views.Invitations.as_view()),
    path("invitations/<int:pk>", views.OneInvitation.as_view()),
    path("invitations/<int:pk>/resend", views.Resend.as_view()),
    path("auth/invitation", acceptance_views.Look.as_view()),
    path("auth/invitation/accept", acceptance_views.Accept.as_view()),
]
