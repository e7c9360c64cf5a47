"""A waitlist from the shared link to the end: joined, an address said, something offered and taken."""

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.hosted import heading
from tests.e2e.stack import Stack

ADDRESS = "ada@lists.example"
OUTBOX = """
import json
from auth_otp.models import OutboxMessage
found = OutboxMessage.objects.filter(address=%r).order_by("-id")
print(json.dumps(list(found.values_list("text", flat=True))))
"""
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module", autouse=True)
def launch(stack: Stack) -> dict[str, Any]:
    """One list for news, and one that offers the only pair there is."""
    release = {"slug": "pair", "name": "One returned pair", "inventory": 1, "claimSeconds": 300}
    offers = {"mode": "offer", "offerSequence": "second", "offerSeconds": 300}
    sequences = [
        {"slug": "all", "name": "All", "waitlist": {"slug": "list", "name": "Returned pairs", **offers}},
        {"slug": "second", "name": "Second", "priority": -1, "timedReleases": [release]},
    ]
    news = {"slug": "all", "name": "All", "waitlist": {"slug": "list", "name": "The next drop"}}
    experiences = [
        {"slug": "news", "name": "News", "sequences": [news]},
        {"slug": "returns", "name": "Returns", "sequences": sequences},
    ]
    return stack.apply({"organization": {"slug": "e2e-lists", "name": "E2E"}, "experiences": experiences})


def sent(stack: Stack, pattern: str) -> str:
    """What matches in the newest message that has such a thing, as soon as there is one."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        texts = json.loads(stack.manage("shell", "-v", "0", "-c", OUTBOX % ADDRESS).splitlines()[-1])
        found = [match[1] for text in texts if (match := re.search(pattern, text))]
        if found:
            return str(found[0])
    raise AssertionError(f"Nothing like {pattern} was sent")


def test_a_guest_joins_keeps_the_place_and_leaves(stack: Stack, desktop: Page) -> None:
    desktop.goto(f"{stack.url}/e/e2e-lists/news")
    desktop.get_by_role("button", name="Join the waitlist").click()
    heading(desktop, "You are on the list")
    expect(desktop.get_by_text("We have no address of yours")).to_be_visible()
    desktop.reload()
    desktop.get_by_role("button", name="Leave the list").click()
    heading(desktop, "You have left")


def test_who_says_an_address_is_offered_something_and_takes_it(stack: Stack, phone: Page) -> None:
    phone.goto(f"{stack.url}/e/e2e-lists/returns")
    phone.get_by_role("button", name="Join the waitlist").click()  # whoever is to get offers has an address
    phone.get_by_label("E-mail address").fill(ADDRESS)
    phone.get_by_role("button", name="Send me a code").click()
    phone.get_by_label("Six digits").fill(sent(stack, r"\b(\d{6})\b"))
    phone.get_by_role("main").get_by_role("button", name="Sign in").click()
    phone.get_by_role("button", name="Join the waitlist").click()
    expect(
        phone.get_by_text("There is something").or_(phone.get_by_text("You are on the list")).first
    ).to_be_visible()

    code = sent(stack, r"\b([2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{2})\b")
    phone.reload()
    heading(phone, "There is something for you")
    expect(phone.get_by_text(ADDRESS)).to_be_visible()
    phone.get_by_role("button", name="Type the code").click()
    phone.get_by_label("Access code").fill(code)
    phone.get_by_role("button", name="Go on").click()
    phone.get_by_role("button", name="Get one now").click()
    heading(phone, "You have one")
