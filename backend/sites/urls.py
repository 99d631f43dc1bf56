"""Under /api/."""

from django.urls import path

from sites import edge_views, views

urlpatterns = [
    path("validate-token", views.ValidateToken.as_view()),
    path("sites", views.Sites.as_view()),
    path("sites/<int:site_id>", views.OneSite.as_view()),
    path("sites/<int:site_id>/points", views.SitePoints.as_view()),
    path("sites/<int:site_id>/assets", views.SiteAssets.as_view()),
    path("edge/session", edge_views.EdgeSession.as_view()),
    path("edge/points", edge_views.EdgePoints.as_view()),
]
