"""Under /api/telemetry/."""

from django.urls import path

from telemetry import views

urlpatterns = [path("historical", views.Historical.as_view(), name="historical")]
