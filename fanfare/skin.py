"""The console's look and its menu, as django-unfold reads them from the settings."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _pages(title: str, *pages: tuple[str, ...], permission: str = "") -> dict[str, Any]:
    """A group of the console's menu: of each page its title, icon and model, and who is shown it."""
    items = []
    for page in pages:
        name, icon, model, shown_to = (*page, permission)[:4]
        item = {"title": name, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}
        items.append(item | ({"permission": shown_to} if shown_to else {}))
    return {"title": title, "separator": True, "items": items}


def _style(request: HttpRequest) -> str:
    return static("fanfare/console.css")


def _script(request: HttpRequest) -> str:
    return static("fanfare/console.js")


_FAVICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%23155dfc'/%3E"
    "%3Cpath d='M5 13V3h7v2H7v2h4v2H7v4z' fill='white'/%3E%3C/svg%3E"
)
UNFOLD = {
    "SITE_TITLE": "Fanfare",
    "SITE_HEADER": "Fanfare",
    "SITE_SUBHEADER": "Who gets in, and when",
    "SITE_SYMBOL": "celebration",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _FAVICON}],
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "STYLES": [_style],
    "SCRIPTS": [_script],
    "DASHBOARD_CALLBACK": "distributions.launches.admin.home",
    "LOGIN": {"form": "fanfare.console.SignInForm"},
    "ACCOUNT": {"navigation": [{"title": "Your account", "link": reverse_lazy("account")}]},
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(70.7% .165 254.6)",
            "500": "oklch(62.3% .214 259.8)",
            "600": "oklch(54.6% .245 262.9)",
            "700": "oklch(48.8% .243 264.4)",
            "800": "oklch(42.4% .199 265.6)",
            "900": "oklch(37.9% .146 265.5)",
            "950": "oklch(28.2% .091 267.9)",
        }
    },
    "SIDEBAR": {
        "navigation": [
            {"items": [{"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")}]},
            _pages(
                "Launches",
                ("Experiences", "celebration", "experiences_experience"),
                ("Sequences", "alt_route", "experiences_sequence"),
                ("Access codes", "password", "experiences_accesscode"),
                ("Audiences", "groups_2", "experiences_audiencemember"),
                ("Distributions", "confirmation_number", "distributions_distribution"),
                ("Participations", "groups", "distributions_participation"),
                ("Bids", "gavel", "distributions_bid"),
                ("Bookings", "calendar_month", "distributions_booking"),
                ("Notifications", "campaign", "distributions_notification"),
            ),
            _pages(
                "People",
                ("Consumers", "person", "consumers_consumer"),
                ("Sessions", "devices", "consumers_session"),
                ("Visits", "door_open", "consumers_visit"),
                ("Messages", "mail", "consumers_message"),
                ("OTP deliveries", "pin", "auth_otp_otpchallenge"),
                ("Outbox", "outbox", "auth_otp_outboxmessage", "auth_otp.admin.is_outbox_offered"),
            ),
            _pages(
                "Organization",
                ("Organizations", "storefront", "experiences_organization"),
                ("Staff", "badge", "experiences_membership"),
                ("API keys", "key", "experiences_apikey"),
                ("Trace", "history", "experiences_event"),
            ),
            _pages(
                "Installation",
                ("Users", "manage_accounts", "auth_user"),
                ("Signing keys", "encrypted", "consumers_signingkey"),
                permission="fanfare.staff.is_superuser",
            ),
        ],
    },
}
