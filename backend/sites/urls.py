"""Under /api/."""

from django.urls import path

from sites import (
    access_token_views,
    access_views,
    asset_views,
    device_views,
    edge_resource_views,
    edge_views,
    point_views,
    site_views,
)

urlpatterns = [
    path("validate-token", access_views.ValidateToken.as_view()),
    path("sites", site_views.Sites.as_view()),
    path("sites/<int:site_id>", site_views.OneSite.as_view()),
    path("sites/<int:site_id>/access", access_views.AccessExplained.as_view()),
    path("sites/<int:site_id>/points", point_views.SitePoints.as_view()),
    path("sites/<int:site_id>/adoption", point_views.Adoption.as_view()),
    path("sites/<int:site_id>/assets", asset_views.SiteAssets.as_view()),
    path("site-access", access_views.SiteAccesses.as_view()),
    path("site-access/<int:pk>", access_views.OneSiteAccess.as_view()),
    path("assets", asset_views.Assets.as_view()),
    path("assets/<int:pk>", asset_views.OneAsset.as_view()),
    path("edges", edge_resource_views.Edges.as_view()),
    path("edges/<int:pk>", edge_resource_views.OneEdge.as_view()),
    path("edges/<int:pk>/status", edge_resource_views.EdgeStatus.as_view()),
    path("edges/<int:pk>/keys", edge_resource_views.EdgeKeys.as_view()),
    path("edge-keys/<int:pk>", edge_resource_views.OneEdgeKey.as_view()),
    path("devices", device_views.Devices.as_view()),
    path("devices/<int:pk>", device_views.OneDevice.as_view()),
    path("points", point_views.Points.as_view()),
    path("points/<int:pk>", point_views.OnePoint.as_view()),
    path("access-tokens", access_token_views.AccessTokens.as_view()),
    path("access-tokens/<int:pk>", access_token_views.OneAccessToken.as_view()),
    path("edge/session", edge_views.EdgeSession.as_view()),
    path("edge/points", edge_views.EdgePoints.as_view()),
]
