"""An auction from the shared link to the end: one bids on a phone, one on a desktop, and one of them wins."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PHONE, OpenContext
from tests.e2e.hosted import SHOP, Hosted, heading, launch, require_accessible
from tests.e2e.stack import Stack


def auction(stack: Stack, slug: str, **more: Any) -> Hosted:
    """An auction that is open."""
    prices = {"startingPrice": "100.00", "minimumBidIncrement": "5.00", "currencyCode": "EUR"}
    settings = {"name": "The signed pair", "supportsGuest": True, "closeAt": "now+1h", "claimSeconds": 600}
    return launch(stack, slug, "auctions", {**settings, **prices, **more})


def bid(page: Page, amount: str, maximum: str = "") -> None:
    page.get_by_label("Your bid").fill(amount)
    if maximum:
        page.get_by_text("Bid up to a maximum").click()
        page.get_by_label("Up to").fill(maximum)
    page.get_by_role("button", name="Bid", exact=True).click()


def test_two_bid_and_the_higher_maximum_wins(stack: Stack, open_context: OpenContext) -> None:
    url = auction(stack, "pair", closeAt="now+40s").url
    phone = open_context(**PHONE, locale="de-DE").new_page()
    desktop = open_context(**DESKTOP).new_page()
    phone.goto(url)
    expect(phone.get_by_text("Startpreis")).to_be_visible()
    phone.get_by_label("Ihr Gebot").fill("90,00")
    phone.get_by_role("button", name="Bieten", exact=True).click()
    expect(
        phone.get_by_role("main").get_by_text("Das ist zu wenig. Das Mindeste ist 100,00 €.")
    ).to_be_visible()
    expect(phone.get_by_label("Ihr Gebot")).to_have_value("100,00")  # the least that would do
    expect(phone.get_by_label("Ihr Gebot")).to_be_focused()
    require_accessible(phone)
    phone.get_by_role("button", name="Bieten", exact=True).click()
    expect(phone.get_by_role("heading", name="Sie führen")).to_be_visible()
    desktop.goto(url)
    bid(desktop, "110", maximum="150")
    expect(desktop.get_by_role("heading", name="You are winning")).to_be_visible()
    expect(phone.get_by_role("heading", name="Sie wurden überboten")).to_be_visible()
    expect(phone.get_by_label("Ihr Gebot")).to_have_value("115,00")
    expect(desktop.get_by_role("heading", name="It is yours")).to_be_visible(timeout=60_000)
    expect(desktop.get_by_text("You pay €110.00")).to_be_visible()
    require_accessible(desktop)
    way_on = desktop.get_by_role("link", name="Go on to the shop").get_attribute("href") or ""
    assert way_on.startswith(f"{SHOP}?fanfareToken=")
    heading(phone, "Diesmal nicht")
    expect(phone.get_by_role("main").get_by_text("Andere haben mehr geboten.")).to_be_visible()


def test_below_the_reserve_and_bought_now(stack: Stack, desktop: Page) -> None:
    desktop.goto(auction(stack, "buy", buyNowPrice="200.00", reservePrice="150.00").url)
    bid(desktop, "a lot")
    expect(desktop.get_by_role("main").get_by_text("Please type an amount.")).to_be_visible()
    bid(desktop, "120")
    expect(desktop.get_by_role("heading", name="You bid the most so far")).to_be_visible()
    expect(desktop.get_by_label("Your bid")).to_have_value("125.00")  # what would raise it
    desktop.get_by_text("My bids").click()
    expect(desktop.get_by_role("listitem").filter(has_text="€120.00")).to_have_count(1)
    desktop.get_by_role("button", name="Buy now for €200.00").click()
    desktop.get_by_role("button", name="Yes, buy it now").click()
    expect(desktop.get_by_role("heading", name="It is yours")).to_be_visible()
    expect(desktop.get_by_text("You pay €200.00")).to_be_visible()


def test_who_may_not_bid_as_a_guest_is_asked_to_sign_in(stack: Stack, phone: Page) -> None:
    phone.goto(auction(stack, "for-members", supportsGuest=False).url)
    expect(phone.get_by_label("Your bid")).to_be_hidden()
    phone.get_by_role("button", name="Sign in to bid").click()
    expect(phone.get_by_label("E-mail address or phone number")).to_be_focused()
