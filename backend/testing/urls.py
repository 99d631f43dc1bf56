"""Endpoints for developers, below /api/testing/."""

from django.urls import path

from testing import views

urlpatterns = [
    path("sandboxes", views.Sandboxes.as_view()),
    path("sandboxes/<int:sandbox_id>", views.OneSandbox.as_view()),
]
