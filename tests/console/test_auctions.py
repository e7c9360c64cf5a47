"""An auction's settings at the console: amounts as text, errors at their fields, what is locked, the past."""

import datetime as dt
import json
from typing import Any

import pytest
from django.urls import reverse

from distributions.auctions import setup
from distributions.auctions.models import Auction
from distributions.core.models import Distribution
from distributions.core.setup import Rows
from experiences.models import Event, Organization
from fanfare import clock as time
from tests.console.conftest import Console, fields_of, messages_of
from tests.console.pages import AUCTION, DISTRIBUTION, locked, text_of, wrong
from tests.world import World, loaded

ADD = reverse(f"admin:{DISTRIBUTION}_add")
STEPS = '[{"from": "1000.00", "increment": "50.00"}, {"from": "5000", "increment": "100.5"}]'


# --- Setting one up -------------------------------------------------------------------------------
def test_an_editor_adds_an_auction(editor: Console, world: World) -> None:
    Organization.objects.update(time_zone="Europe/Berlin", currency_code="EUR")
    assert "To the highest bidders" in editor.get(ADD).content.decode()
    page = editor.add(
        DISTRIBUTION, "?kind=auction", sequence=world.sequence.pk, name="Jersey", slug="jersey",
        starting_price="150", minimum_bid_increment=" 5.5 ", increment_table=STEPS, reserve_price="200.00",
        buy_now_price="9999.99", winner_count="2", extension_window_seconds="60", extension_seconds="90",
        max_extensions="5", claim_seconds="600", second_chance="on",
        close_at_0="2031-06-01", close_at_1="20:00:00", hard_end_at_0="2031-12-01", hard_end_at_1="20:00:00",
    )  # fmt: skip
    assert "was added successfully" in messages_of(page), page.context["errors"]
    found = loaded(Distribution.objects.get(slug="jersey"))
    auction = found.auction
    assert (found.kind, found.organization, found.supports_guest) == ("auction", world.organization, False)
    assert [getattr(auction, name) for name in setup.AMOUNTS] == [15000, 550, 20000, 999999]
    assert (auction.currency_code, auction.winner_count, auction.second_chance) == ("EUR", 2, True)
    assert auction.increment_table == [
        {"from": "1000.00", "increment": "50.00"}, {"from": "5000.00", "increment": "100.50"},
    ]  # fmt: skip
    # In the shop's own time, summer and winter.
    assert found.close_at == auction.announced_close_at == dt.datetime(2031, 6, 1, 18, tzinfo=dt.UTC)
    assert auction.hard_end_at == dt.datetime(2031, 12, 1, 19, tzinfo=dt.UTC)
    event = Event.objects.get(name="settings.changed", distribution_id=found.pk)
    assert event.actor == editor.actor
    page = editor.open(DISTRIBUTION, found)
    body = fields_of(page)
    assert [body[name] for name in setup.AMOUNTS] == ["150.00", "5.50", "200.00", "9999.99"]
    assert text_of(page).count('value="20:00:00"') == 2
    assert "Time zone: Europe/Berlin." in text_of(page)


def test_adding_asks_for_what_an_auction_has(editor: Console, world: World) -> None:
    form = editor.get(ADD + "?kind=auction").context["adminform"].form
    assert {*setup.OF_AUCTION, "open_at", "close_at", "supports_guest"} <= set(form.fields)
    assert not {"capacity", "admission_rate", "draw_at", "weights", "high", "cutoff"} & set(form.fields)
    assert all(form.fields[name].help_text for name in (*setup.OF_AUCTION, "close_at", "supports_guest"))
    assert form.fields["supports_guest"].initial is False
    required = {name for name, field in form.fields.items() if field.required}
    assert {"starting_price", "minimum_bid_increment"} <= required
    assert not {"currency_code", "reserve_price", "buy_now_price", "increment_table"} & required


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("starting_price", ""), ("starting_price", "1.234"), ("starting_price", "-1"),
        ("starting_price", "+1"), ("starting_price", "1e3"), ("starting_price", "NaN"),
        ("starting_price", "1,000.00"), ("starting_price", "1" + "0" * 30),
        ("starting_price", "10000000000001"),
        ("starting_price", "١٢"), ("starting_price", "EUR 1"), ("starting_price", ".5"),
        ("minimum_bid_increment", "0"), ("minimum_bid_increment", "0.001"), ("minimum_bid_increment", ""),
        ("reserve_price", "99.99"), ("reserve_price", "x"), ("buy_now_price", "100.00"),
        ("buy_now_price", "99999999999999999999999999999999"),
        ("increment_table", "{"), ("increment_table", "3"), ("increment_table", "{}"),
        ("increment_table", '[{"from": "1000.00"}]'),
        ("increment_table", '[{"from": "1000.00", "increment": "50.001"}]'),
        ("increment_table", '[{"from": "1000.00", "increment": "9.99"}]'),  # less than the increment
        ("increment_table", '[{"from": "9", "increment": "50"}, {"from": "9", "increment": "60"}]'),
        ("increment_table", '[{"from": "9", "increment": "50"}, {"from": "10", "increment": "40"}]'),
        ("currency_code", "XXX"), ("currency_code", "eur"), ("currency_code", "EURO"),
        ("winner_count", "0"), ("winner_count", "1001"), ("max_extensions", "0"),
        ("claim_seconds", "99999999"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_at_its_field(
    editor: Console, world: World, clock: Any, field: str, text: str
) -> None:
    auction = world.auction(opens_in=10)
    before = Auction.objects.values().get()
    page = editor.save(DISTRIBUTION, auction, **{field: text})
    assert wrong(page) == [field]
    assert Auction.objects.values().get() == before
    if field != "increment_table":  # as it was typed
        assert page.context["adminform"].form[field].value() == text


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("extension_seconds", {"extension_window_seconds": "60"}),
        ("extension_window_seconds", {"extension_seconds": "60"}),
        ("hard_end_at", {"hard_end_at_0": "2026-12-01", "hard_end_at_1": "09:05:00"}),
        ("settle_at", {"settle_at_0": "2026-12-01", "settle_at_1": "09:05:00"}),
        ("hard_end_at", {"hard_end_at_0": "2026-12-01"}),
        ("buy_now_price", {"reserve_price": "500", "buy_now_price": "500"}),
        ("close_at", {"close_at_0": "2026-12-01", "close_at_1": "09:00:05"}),  # before it opens
    ],
)
def test_what_does_not_fit_together_is_refused(
    editor: Console, world: World, clock: Any, field: str, values: dict[str, str]
) -> None:
    auction = world.auction(opens_in=10)
    before = Auction.objects.values().get()
    assert wrong(editor.save(DISTRIBUTION, auction, **values)) == [field]
    assert Auction.objects.values().get() == before


@pytest.mark.parametrize(
    ("currency", "good", "minor", "bad"),
    [("JPY", "5000", 5000, "5000.0"), ("KWD", "5.125", 5125, "5.1250"), ("EUR", "5.1", 510, "5.123")],
)
def test_each_currency_has_its_decimals(
    editor: Console, world: World, currency: str, good: str, minor: int, bad: str
) -> None:
    values = {"sequence": world.sequence.pk, "name": "A", "slug": "a", "currency_code": currency}
    amounts = {"starting_price": bad, "minimum_bid_increment": "1"}
    page = editor.add(DISTRIBUTION, "?kind=auction", **values, **amounts)
    assert wrong(page) == ["starting_price"]
    assert not Auction.objects.exists()
    page = editor.add(DISTRIBUTION, "?kind=auction", **values, **(amounts | {"starting_price": good}))
    assert "was added" in messages_of(page)
    assert Auction.objects.get().starting_price == minor


def test_another_currency_reads_the_amounts_anew(editor: Console, world: World) -> None:
    auction = world.auction(starting=15000, increment=500, reserve_price=20050, supports_guest=True)
    assert wrong(editor.save(DISTRIBUTION, auction, currency_code="JPY")) == ["reserve_price"]
    assert "was changed" in messages_of(editor.save(DISTRIBUTION, auction, currency_code="KWD"))
    found = Auction.objects.get()
    assert (found.starting_price, found.minimum_bid_increment, found.reserve_price) == (150000, 5000, 200500)
    body = fields_of(editor.open(DISTRIBUTION, auction))
    assert (body["starting_price"], body["reserve_price"]) == ("150.000", "200.500")


def test_an_emptied_field_is_none(editor: Console, world: World) -> None:
    steps = [{"from": "1000.00", "increment": "50.00"}]
    auction = world.auction(increment_table=steps, reserve_price=20000, buy_now_price=90000, claim_seconds=60)
    names = ("increment_table", "reserve_price", "buy_now_price", "claim_seconds")
    hidden = {"initial-increment_table": json.dumps(steps)}  # as a browser sends it
    page = editor.save(DISTRIBUTION, auction, **dict.fromkeys(names, ""), **hidden)
    assert "was changed" in messages_of(page)
    assert Auction.objects.values_list(*names).get() == ([], None, None, None)


# --- What can't change any more -------------------------------------------------------------------
CHANGED: dict[str, Any] = {
    "open_at": dt.datetime(2026, 11, 30, tzinfo=dt.UTC),
    "close_at": dt.datetime(2030, 1, 1, tzinfo=dt.UTC),
    "currency_code": "USD",
    "starting_price": 7,
    "minimum_bid_increment": 7,
    "reserve_price": 77700,
    "buy_now_price": 777700,
    "increment_table": [{"from": "777.00", "increment": "77.00"}],
    "show_reserve": True,
    "winner_count": 7,
    "extension_window_seconds": 77,
    "extension_seconds": 77,
    "max_extensions": 7,
    "hard_end_at": dt.datetime(2030, 1, 2, tzinfo=dt.UTC),
    "settle_at": dt.datetime(2030, 1, 3, tzinfo=dt.UTC),
    "claim_seconds": 77,
    "second_chance": True,
}


def refused(auction: Distribution) -> set[str]:
    """What setting up would refuse as coming too late."""
    found = loaded(auction)
    rows = Rows(found, found.tally, found.auction, setup.OF_AUCTION)
    changes = {name: (rows.get(name), value) for name, value in CHANGED.items()}
    return set(setup.SETTINGS.late(rows, changes, time.now()))


def test_what_bidders_were_told_is_locked(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(second_chance=True, claim_seconds=60)

    def as_setup_says() -> set[str]:
        page = editor.open(DISTRIBUTION, auction)
        assert locked(page) == refused(auction)
        assert text_of(page).count("Can't change any more.") == len(locked(page))
        return locked(page)

    assert as_setup_says() == set()
    world.consumer().bid(auction, "100.00")
    assert as_setup_says() == set(setup.OF_THE_BIDS)
    before = loaded(auction)
    page = editor.save(
        DISTRIBUTION, auction, currency_code="USD", starting_price="7", minimum_bid_increment="7",
        increment_table=STEPS, reserve_price="777", buy_now_price="7777", winner_count="7",
        extension_window_seconds="7", extension_seconds="7", max_extensions="7",
        hard_end_at_0="2030-01-02", hard_end_at_1="00:00:00", close_at_0="2030-01-01", close_at_1="00:00:00",
        open_at_0="2026-11-01", open_at_1="00:00:00",
        name="Renamed", show_reserve="on",
    )  # fmt: skip
    assert "was changed" in messages_of(page)
    after = loaded(auction)
    for name in (*setup.AMOUNTS, "currency_code", "increment_table", "winner_count", "max_extensions"):
        assert getattr(after.auction, name) == getattr(before.auction, name), name
    assert (after.open_at, after.close_at) == (before.open_at, before.close_at)
    assert (after.name, after.auction.show_reserve) == ("Renamed", True)
    editor.press(DISTRIBUTION, auction, "close")
    assert as_setup_says() == set(setup.OF_THE_BIDS)
    assert "was changed" in messages_of(editor.save(DISTRIBUTION, after, second_chance=""))
    # Off for good: whoever lost was told so.
    assert as_setup_says() == {*setup.OF_THE_BIDS, "second_chance"}
    editor.save(DISTRIBUTION, after, second_chance="on")
    assert not loaded(auction).auction.second_chance


def test_what_a_bid_locks_meanwhile_is_refused(editor: Console, world: World, clock: Any) -> None:
    """The form was opened before the first bid, and sent after it."""
    auction = world.auction()
    body = fields_of(editor.open(DISTRIBUTION, auction)) | {"starting_price": "7.00", "name": "Renamed"}
    world.consumer().bid(auction, "100.00")
    editor.client.post(reverse(f"admin:{DISTRIBUTION}_change", args=[auction.pk]), body)
    assert Auction.objects.get().starting_price == 10_000


# --- Who only looks -------------------------------------------------------------------------------
def test_a_viewer_reads_amounts_with_their_currency(viewer: Console, world: World) -> None:
    auction = world.auction(starting=500, increment=25, reserve_price=700, currency_code="KWD")
    page = viewer.open(DISTRIBUTION, auction)
    text = text_of(page)
    assert all(known in text for known in ("0.500 KWD", "0.025 KWD", "0.700 KWD"))
    assert 'name="starting_price"' not in text
    assert 'name="_save"' not in text
    assert (
        viewer.post(reverse(f"admin:{DISTRIBUTION}_change", args=[auction.pk]), name="X").status_code == 403
    )
    assert viewer.get(ADD + "?kind=auction").status_code == 403
    assert viewer.list(AUCTION).status_code == 200
    assert "0.700 KWD" in text_of(viewer.list(AUCTION))


# --- What settings were ---------------------------------------------------------------------------
def test_the_history_has_amounts_as_text(editor: Console, viewer: Console, world: World) -> None:
    auction = world.auction(starting=15000, increment=500)
    editor.save(DISTRIBUTION, auction, starting_price="175.5", reserve_price="200")
    editor.save(DISTRIBUTION, auction, currency_code="KWD")
    url = reverse(f"admin:{AUCTION}_history", args=[auction.pk])
    text = text_of(viewer.get(url))
    for known in ("150.00 EUR", "175.50 EUR", "175.500 KWD", "200.00 EUR", "200.000 KWD", "none", "edgar"):
        assert known in text, known
    assert not [minor for minor in (">15000<", ">17550<", ">20000<", ">175500<") if minor in text]
    versions = list(Auction.history.order_by("history_id").values_list("history_id", flat=True))
    assert len(versions) == 3
    first, second = (text_of(viewer.get(f"{url}{version}/")) for version in versions[:2])
    assert ("150.00 EUR" in first, "175.50 EUR" in second) == (True, True)
    assert 'name="starting_price"' not in first  # nothing looks as if it could be typed over
    assert "17550" not in second
    assert editor.post(f"{url}{versions[0]}/", starting_price="1").status_code == 404


def test_bids_are_not_in_the_history_of_settings(editor: Console, world: World, clock: Any) -> None:
    auction = world.auction(extension_window_seconds=900, extension_seconds=900)
    world.consumer().bid(auction, "100.00", "777.77")
    editor.press(DISTRIBUTION, auction, "close")
    assert loaded(auction).auction.settled_at is not None
    assert [version.history_type for version in Auction.history.all()] == ["+"]
