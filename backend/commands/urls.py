"""Under /api/."""

from django.urls import path

from commands import views

urlpatterns = [
    path("commands", views.Commands.as_view()),
    path("commands/<uuid:pk>", views.OneCommand.as_view()),
    path("sites/<int:site_id>/control-events", views.ControlEvents.as_view()),
]
