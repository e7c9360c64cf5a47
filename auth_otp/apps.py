"""Django's registration of this app."""

from django.apps import AppConfig


class OtpConfig(AppConfig):
    """One-time codes."""

    name = "auth_otp"
    verbose_name = "One-time codes"
