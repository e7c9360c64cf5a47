"""What the tests of the console share: the demo's staff and keys, signing in, filling in forms."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack

DISTRIBUTION = "/admin/distributions/distribution"


@dataclass(frozen=True)
class Desk:
    """The demo shop's, as `make run` sets it up: its owner's sign-in, its keys, its distributions by kind."""

    stack: Stack
    username: str
    password: str
    key: str
    secret: str
    distributions: dict[str, str]

    def sign_in(self, page: Page) -> None:
        """By name and password, to the console's home."""
        sign_in(page, self.stack, self.username, self.password)

    def guests(self, number: int) -> list[str]:
        """The access tokens of so many consumers who have just come."""
        return [self.stack.call("POST", "/auth/guest", self.key)["accessToken"] for _ in range(number)]

    def customer(self, number: int) -> str:
        """The access token of one who has signed in at the shop."""
        who = {"provider": "shop", "issuer": "https://shop.example.com", "subject": f"customer-{number}"}
        code = self.stack.call("POST", "/auth/external/authorize", self.secret, who)["exchangeCode"]
        found = self.stack.call("POST", "/auth/external/exchange", self.key, {"exchangeCode": code})
        return str(found["accessToken"])


def desk_of(stack: Stack) -> Desk:
    """The demo's."""
    demo: dict[str, Any] = json.loads((Path(stack.environment["FANFARE_DATA_DIR"]) / "demo.json").read_text())
    kinds = {
        "queue": demo["queues"]["line"],
        "draw": demo["draws"]["raffle"],
        "auction": demo["auctions"]["signed-pair"],
        "timed_release": demo["timed_releases"]["flash"],
        "appointment": demo["appointments"]["fitting"],
        "waitlist": demo["waitlists"]["next-time"],
    }
    keys = demo["publishable_key"], demo["secret_key"]
    return Desk(stack, demo["username"], demo["password"], *keys, kinds)


def sign_in(page: Page, stack: Stack, username: str, password: str) -> None:
    """The first half, where a second factor is asked for."""
    page.goto(f"{stack.url}/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def fill(page: Page, **values: str) -> None:
    """Fields of a form by their names, then Save."""
    for name, value in values.items():
        page.locator(f"#id_{name}").fill(value)
    save(page)


def save(page: Page) -> None:
    """As it stands."""
    page.get_by_role("button", name="Save", exact=True).click()


def press(page: Page, label: str, reason: str = "", **values: str) -> None:
    """A button that asks on a page of its own, filled in."""
    page.get_by_role("link", name=label).click()
    for name, value in values.items():
        page.locator(f"#id_{name}").fill(value)
    if reason:
        page.get_by_label("Reason").fill(reason)
    page.locator("form button[type=submit]", has_text=label.removesuffix(" …")).click()


def open_live(page: Page, distribution: str) -> None:
    """From its settings, by the button."""
    page.goto(urljoin(page.url, f"{DISTRIBUTION}/{distribution}/change/"))
    page.get_by_role("link", name=re.compile(r"\bLive$")).click()
    expect(page.locator("#live-state")).to_be_visible()


def number(page: Page, title: str) -> Any:
    """A figure of a live page."""
    return page.locator(f"[data-number='{title}']")
