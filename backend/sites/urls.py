"""Under /api/."""

from django.urls import path

from sites import views

urlpatterns = [
    path("validate-token", views.ValidateToken.as_view()),
    path("organizations", views.Organizations.as_view()),
    path("sites", views.Sites.as_view()),
    path("sites/<int:site_id>", views.OneSite.as_view()),
    path("sites/<int:site_id>/points", views.SitePoints.as_view()),
    path("sites/<int:site_id>/assets", views.SiteAssets.as_view()),
]
