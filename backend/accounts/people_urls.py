"""Under /api/: organizations, people and the audit log."""

from django.urls import path

from accounts import audit_log, membership_views, organization_views, settings_views, user_views

urlpatterns = [
    path("organizations", organization_views.Organizations.as_view()),
    path("organizations/<int:organization_id>", organization_views.OneOrganization.as_view()),
    path("organizations/<int:organization_id>/suspend", organization_views.Suspension.as_view()),
    path("organizations/<int:organization_id>/resume", organization_views.Resumption.as_view()),
    path("organizations/<int:organization_id>/deletion", organization_views.Deletion.as_view()),
    path("organizations/<int:organization_id>/export", organization_views.Export.as_view()),
    path("memberships", membership_views.Memberships.as_view()),
    path("memberships/<int:pk>", membership_views.OneMembership.as_view()),
    path("users", user_views.Users.as_view()),
    path("users/<int:pk>", user_views.OneUser.as_view()),
    path("users/<int:pk>/erase", user_views.Erasure.as_view()),
    path("settings", settings_views.Settings.as_view()),
    path("audit", audit_log.AuditLog.as_view()),
    path("audit/export", audit_log.AuditExport.as_view()),
]
