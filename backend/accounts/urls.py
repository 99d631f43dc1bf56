"""Under /api/auth/."""

from django.urls import path

from accounts import password_views, session_views, two_factor_views, views

urlpatterns = [
    path("login", views.Login.as_view()),
    path("refresh", views.Refresh.as_view()),
    path("logout", views.Logout.as_view()),
    path("me", views.Me.as_view()),
    path("setup", views.Setup.as_view()),
    path("password", password_views.ChangePassword.as_view()),
    path("password/forgot", password_views.ForgotPassword.as_view()),
    path("password/reset", password_views.ResetPassword.as_view()),
    path("sessions", session_views.LoginSessions.as_view()),
    path("sessions/<uuid:session_id>", session_views.OneLoginSession.as_view()),
    path("two-factor", two_factor_views.TwoFactor.as_view()),
    path("two-factor/confirm", two_factor_views.ConfirmTwoFactor.as_view()),
]
