"""Under /api/auth/."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("login", views.Login.as_view()),
    path("refresh", views.Refresh.as_view()),
    path("logout", views.Logout.as_view()),
    path("me", views.Me.as_view()),
    path("setup", views.Setup.as_view()),
]
