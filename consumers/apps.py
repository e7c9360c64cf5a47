"""The app, and what it hangs itself onto when all models are there."""

from importlib import import_module

from django.apps import AppConfig


class ConsumersConfig(AppConfig):
    """People and their sessions."""

    name = "consumers"

    def ready(self) -> None:
        import_module("consumers.cors")  # connects its signal
