"""`manage.py apply`: auctions in a file: amounts by their currency, what is wrong, what can't change."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from distributions import tasks
from distributions.auctions.models import Auction
from distributions.core.models import Distribution
from experiences.models import Event
from fanfare import clock as time
from tests.commands.test_apply import apply
from tests.conftest import START
from tests.world import World

pytestmark = pytest.mark.usefixtures("transactional_db", "clock")

AUCTION = "experiences[0].sequences[0].auctions[0]"
PRICES = {"startingPrice": '"100.00"', "minimumBidIncrement": '"10.00"'}
FILE = """
organization: {slug: shop, name: Shop, timeZone: Europe/Berlin, currencyCode: CHF}
experiences:
  - slug: drop
    name: Drop
    sequences:
      - slug: everyone
        name: Everyone
        auctions:
          - {slug: lot, name: The lot, openAt: now-1m, closeAt: now+10m, currencyCode: EUR,
             startingPrice: "100.00", minimumBidIncrement: 10, reservePrice: 300.5, showReserve: true,
             incrementTable: [{from: "200", increment: 20.0}, {from: 500.50, increment: "50.5"}],
             buyNowPrice: 900, winnerCount: 3, extensionWindowSeconds: 60, extensionSeconds: 120,
             maxExtensions: 5, hardEndAt: now+1h, settleAt: now+30m, claimSeconds: 600, secondChance: true,
             supportsGuest: true, maxEntriesPerFingerprint: 2, timeZone: Asia/Tokyo, metadata: {sku: A}}
"""


def with_auction(settings: str = "", organization: str = "") -> str:
    """A file whose auction has these settings beside slug, name, prices and closing, unless it gives them."""
    fixed = {**PRICES, "closeAt": "now+10m", "name": "The lot"}
    rest = ", ".join(f"{name}: {value}" for name, value in fixed.items() if f"{name}:" not in settings)
    return f"""
organization: {{slug: shop, name: Shop{organization}}}
experiences: [{{slug: drop, name: Drop, sequences: [{{slug: everyone, name: Everyone,
  auctions: [{{slug: lot, {rest}{", " if settings else ""}{settings}}}]}}]}}]
"""


def the_auction() -> Distribution:
    return Distribution.objects.select_related("auction", "tally", "sequence", "organization").get()


def line_of(printed: str) -> str:
    """What is said of the auction."""
    (line,) = [line for line in printed.splitlines() if "drop/everyone/lot" in line]
    return " ".join(line.split())


def refusal(tmp_path: Path, text: str, *options: str) -> dict[str, str]:
    """What was wrong, by path; nothing may have changed."""
    before = everything()
    with pytest.raises(CommandError) as problem:
        apply(tmp_path, text, *options)
    assert everything() == before
    first, *lines = str(problem.value).splitlines()
    assert first == "Nothing was changed."
    parts = [line.removeprefix(f"{tmp_path}/drop.yaml: ").partition(": ") for line in lines]
    return {path: said for path, _, said in parts}


def everything() -> list[Any]:
    tables = (Distribution, Auction, Event, Auction.history.model, Distribution.history.model)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def world_of(tmp_path: Path, text: str) -> World:
    """The shop that the file makes."""
    made = json.loads(apply(tmp_path, text, "--json"))["organization"]
    auction = the_auction()
    return World(auction.organization, auction.sequence, made["publishableKey"], made["secretKey"])


# --- What a file makes ----------------------------------------------------------------------------
def test_every_setting_is_kept(tmp_path: Path) -> None:
    apply(tmp_path, FILE)
    distribution = the_auction()
    auction = distribution.auction
    assert (auction.currency_code, auction.starting_price, auction.minimum_bid_increment) == (
        "EUR",
        10_000,
        1_000,
    )
    assert (auction.reserve_price, auction.show_reserve, auction.buy_now_price) == (30_050, True, 90_000)
    assert auction.increment_table == [
        {"from": "200.00", "increment": "20.00"}, {"from": "500.50", "increment": "50.50"},
    ]  # fmt: skip
    assert (auction.winner_count, auction.claim_seconds, auction.second_chance) == (3, 600, True)
    window = (auction.extension_window_seconds, auction.extension_seconds, auction.max_extensions)
    assert window == (60, 120, 5)
    assert (auction.hard_end_at, auction.settle_at) == (
        START + dt.timedelta(hours=1), START + dt.timedelta(minutes=30),
    )  # fmt: skip
    closes = START + dt.timedelta(minutes=10)
    assert (distribution.open_at, distribution.close_at) == (START - dt.timedelta(minutes=1), closes)
    assert auction.announced_close_at == closes
    found = (distribution.supports_guest, distribution.time_zone, distribution.metadata)
    assert found == (True, "Asia/Tokyo", {"sku": "A"})
    assert distribution.max_entries_per_fingerprint == 2


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    apply(tmp_path, with_auction())
    auction = the_auction().auction
    unset = ("reserve_price", "buy_now_price", "extension_window_seconds", "extension_seconds")
    more = ("max_extensions", "hard_end_at", "settle_at", "claim_seconds")
    assert [getattr(auction, name) for name in (*unset, *more)] == [None] * 8
    assert (auction.winner_count, auction.increment_table) == (1, [])
    assert (auction.show_reserve, auction.second_chance) == (False, False)
    assert the_auction().supports_guest is False


@pytest.mark.parametrize(
    ("currency", "price", "minor"),
    [
        ("JPY", "15000", 15_000),
        ("JPY", '"15000"', 15_000),
        ("EUR", "150", 15_000),
        ("EUR", "150.00", 15_000),
        ("EUR", '"150.5"', 15_050),
        ("KWD", "15.125", 15_125),
        ("KWD", '"15.125"', 15_125),
        ("KWD", "0", 0),
    ],
)
def test_amounts_are_text_or_numbers_by_the_currency(
    tmp_path: Path, currency: str, price: str, minor: int
) -> None:
    text = with_auction(f"startingPrice: {price}, minimumBidIncrement: 1, currencyCode: {currency}")
    apply(tmp_path, text)
    one = {"JPY": 1, "EUR": 100, "KWD": 1000}[currency]
    auction = the_auction().auction
    assert (auction.starting_price, auction.minimum_bid_increment) == (minor, one)
    assert line_of(apply(tmp_path, text)) == "unchanged auction drop/everyone/lot"


def test_the_currency_is_the_organizations_where_none_is_given(tmp_path: Path) -> None:
    text = with_auction("startingPrice: 100, minimumBidIncrement: 10", ", currencyCode: JPY")
    apply(tmp_path, text)
    auction = the_auction().auction
    assert (auction.currency_code, auction.starting_price) == ("JPY", 100)
    assert line_of(apply(tmp_path, text)) == "unchanged auction drop/everyone/lot"
    # It stays that of the auction, should the organization have another one later.
    apply(tmp_path, text.replace("JPY", "EUR"))
    assert (the_auction().auction.currency_code, the_auction().auction.starting_price) == ("JPY", 100)


def test_another_currency_reads_the_amounts_anew(tmp_path: Path) -> None:
    """The same words, which are other minor units; what another currency can't read is refused."""
    apply(tmp_path, with_auction("currencyCode: EUR, reservePrice: 300"))
    apply(tmp_path, with_auction("currencyCode: KWD"))  # the reserve is not in the file any more, and stays
    auction = the_auction().auction
    found = (auction.starting_price, auction.minimum_bid_increment, auction.reserve_price)
    assert found == (100_000, 10_000, 300_000)
    apply(tmp_path, with_auction("currencyCode: KWD, reservePrice: 300.125"))
    yen = "currencyCode: JPY, startingPrice: 100, minimumBidIncrement: 10"
    assert list(refusal(tmp_path, with_auction(yen))) == [f"{AUCTION}.reservePrice"]
    apply(tmp_path, with_auction(f"{yen}, reservePrice: 300"))
    assert the_auction().auction.reserve_price == 300


def test_the_api_shows_what_the_file_says(tmp_path: Path) -> None:
    world = world_of(tmp_path, FILE)
    shown = world.shop_front().get(f"/auctions/{the_auction().pk}").json()
    assert (shown["status"], shown["startingPrice"], shown["reservePrice"]) == ("OPEN", "100.00", "300.50")
    assert shown["incrementTable"][1] == {"from": "500.50", "increment": "50.50"}
    assert (shown["closeAt"], shown["timeZone"]) == ("2026-12-01T09:10:00Z", "Asia/Tokyo")
    assert world.consumer().bid(the_auction(), "100.00").json()["bidStatus"] == "ACTIVE"


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    before = everything()
    assert "created auction drop/everyone/lot" in line_of(apply(tmp_path, FILE, "--dry-run"))
    planned = json.loads(apply(tmp_path, FILE, "--dry-run", "--json"))
    assert planned["experiences"]["drop"]["sequences"]["everyone"]["auctions"] == {"lot": None}
    assert everything() == before


# --- Again ----------------------------------------------------------------------------------------
def test_the_same_file_again_changes_nothing_whatever_became_of_it(tmp_path: Path, clock: Any) -> None:
    world = world_of(tmp_path, FILE)
    guest = world.consumer()

    def require_unchanged() -> None:
        before = everything()
        for options in ((), ("--dry-run",)):
            printed = apply(tmp_path, FILE, *options).splitlines()
            assert {line.split()[0] for line in printed if "drop" in line.split()[2]} == {"unchanged"}
        assert everything() == before

    require_unchanged()
    guest.bid(the_auction(), "100.00")
    require_unchanged()
    clock.shift(590)
    guest.bid(the_auction(), "300.50")  # extends it
    assert the_auction().close_at == START + dt.timedelta(seconds=710)
    require_unchanged()
    clock.shift(60)
    guest.bid(the_auction(), "350.00")
    assert the_auction().close_at == START + dt.timedelta(seconds=770)
    require_unchanged()
    for seconds in (200, 900, 600):  # closed, settled, not completed
        clock.shift(seconds)
        tasks.tick_auctions()
        tasks.expire_admissions()
        require_unchanged()
    assert the_auction().auction.settled_at is not None
    assert the_auction().close_at == START + dt.timedelta(seconds=770)


def test_absolute_times_again_change_nothing_after_an_extension(tmp_path: Path, clock: Any) -> None:
    text = with_auction(
        'closeAt: "2026-12-01T09:10:00Z", settleAt: "2026-12-01T09:10:00Z", supportsGuest: true, '
        "extensionWindowSeconds: 60, extensionSeconds: 120"
    )
    world = world_of(tmp_path, text)
    clock.shift(590)
    world.consumer().bid(the_auction(), "100.00")
    extended = START + dt.timedelta(seconds=710)
    assert the_auction().close_at == extended
    assert line_of(apply(tmp_path, text)) == "unchanged auction drop/everyone/lot"
    assert the_auction().close_at == extended
    later = text.replace('closeAt: "2026-12-01T09:10:00Z"', 'closeAt: "2026-12-01T09:30:00Z"')
    assert f"{AUCTION}.closeAt" in refusal(tmp_path, later)
    # A file that happens to say when it closes by now says nothing else than what is.
    named = text.replace('closeAt: "2026-12-01T09:10:00Z"', 'closeAt: "2026-12-01T09:11:50Z"')
    assert line_of(apply(tmp_path, named)) == "unchanged auction drop/everyone/lot"
    clock.shift(30)
    assert line_of(apply(tmp_path, text + "\n# another word\n")) == "unchanged auction drop/everyone/lot"
    renamed = text.replace("name: The lot", "name: A lot")
    assert line_of(apply(tmp_path, renamed)) == "updated auction drop/everyone/lot: name The lot → A lot"
    assert the_auction().close_at == extended


def test_what_differs_is_changed_kept_in_the_history_and_traced(tmp_path: Path) -> None:
    apply(tmp_path, with_auction("reservePrice: 300, winnerCount: 2"))
    last = Event.objects.order_by("-id")[0].pk
    printed = line_of(apply(tmp_path, with_auction("reservePrice: null, winnerCount: 3, claimSeconds: 60")))
    assert printed.startswith("updated auction drop/everyone/lot: ")
    assert {"winnerCount 2 → 3", "claimSeconds none → 60"} <= set(printed.partition("lot: ")[2].split(", "))
    assert "reservePrice" in printed
    [event] = Event.objects.filter(id__gt=last)
    assert (event.name, event.actor) == ("settings.changed", "system:apply")
    before = {"reservePrice": 30_000, "winnerCount": 2, "claimSeconds": None}
    after = {"reservePrice": None, "winnerCount": 3, "claimSeconds": 60}
    assert (event.data["before"], event.data["after"]) == (before, after)
    history = Auction.history.filter(distribution_id=the_auction().pk).order_by("history_id")
    assert [(row.winner_count, row.reserve_price) for row in history] == [(2, 30_000), (3, None)]


# --- What can't change any more -------------------------------------------------------------------
OF_THE_BIDS = {
    "currencyCode": "KWD",
    "startingPrice": "90",
    "minimumBidIncrement": "11",
    "reservePrice": "300",
    "buyNowPrice": "900",
    "incrementTable": "[{from: 200, increment: 20}]",
    "winnerCount": "2",
    "maxExtensions": "3",
    "hardEndAt": "now+1h",
    "openAt": '"2026-12-01T08:00:00Z"',
    "closeAt": '"2026-12-01T09:30:00Z"',
}
OF_THE_OUTCOME = {"settleAt": '"2026-12-01T09:40:00Z"', "claimSeconds": "60"}
ALWAYS = {"name": "Another", "supportsGuest": "false", "showReserve": "true", "metadata": "{a: 1}"}
BASE = "supportsGuest: true"


def changed(name: str, value: str) -> str:
    """A file that changes this setting alone."""
    return with_auction(f"{name}: {value}" if name == "supportsGuest" else f"{BASE}, {name}: {value}")


def require_fixed(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    for name, value in settings.items():
        assert said in refusal(tmp_path, changed(name, value)).get(f"{AUCTION}.{name}", ""), name


def test_before_anybody_bids_everything_may_change(tmp_path: Path) -> None:
    apply(tmp_path, with_auction(BASE))
    for name, value in {**OF_THE_BIDS, **OF_THE_OUTCOME, **ALWAYS}.items():
        assert line_of(apply(tmp_path, changed(name, value))).startswith("updated auction"), name
        apply(tmp_path, with_auction(f"{BASE}, currencyCode: EUR, closeAt: now+10m", ""), "--reset-times")


def test_what_bidders_were_told_is_fixed_from_the_first_bid_on(tmp_path: Path, clock: Any) -> None:
    world = world_of(tmp_path, with_auction(BASE))
    world.consumer().bid(the_auction(), "50.00")  # refused: nobody has bid yet
    assert line_of(apply(tmp_path, changed("winnerCount", "2"))).startswith("updated auction")
    apply(tmp_path, changed("winnerCount", "1"))
    world.consumer().bid(the_auction(), "100.00")
    require_fixed(tmp_path, OF_THE_BIDS, "Somebody has bid; this can't change any more.")
    require_fixed(tmp_path, OF_THE_OUTCOME, "Somebody has bid; this can't change any more.")
    for name, value in ALWAYS.items():
        assert line_of(apply(tmp_path, changed(name, value))).startswith("updated auction"), name


def test_what_is_settled_is_fixed(tmp_path: Path, clock: Any) -> None:
    world = world_of(tmp_path, with_auction(BASE))
    world.consumer().bid(the_auction(), "100.00")
    clock.shift(600)
    tasks.tick_auctions()
    assert the_auction().auction.settled_at == time.now()
    require_fixed(tmp_path, OF_THE_BIDS, "It has closed for good; make a new one.")
    require_fixed(tmp_path, OF_THE_OUTCOME, "It has closed for good; make a new one.")
    require_fixed(tmp_path, {"secondChance": "true"}, "It is settled: whoever lost was told so.")
    for name, value in ALWAYS.items():
        assert line_of(apply(tmp_path, changed(name, value))).startswith("updated auction"), name
