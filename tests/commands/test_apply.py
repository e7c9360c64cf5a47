"""`manage.py apply`: created, updated, unchanged; refused as a whole with every reason."""

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from distributions.core import drawings, switches
from distributions.core.models import Distribution
from experiences import keys
from experiences.models import ApiKey, Event, Experience, KeyKind, Organization, Sequence
from fanfare import clock as time
from tests.conftest import START
from tests.world import World, assert_error, make_world

pytestmark = pytest.mark.usefixtures("transactional_db", "clock")

FILE = """
organization: {slug: shop, name: Shop, timeZone: Europe/Berlin, currencyCode: EUR}
experiences:
  - slug: drop
    name: Drop
    sequences:
      - slug: everyone
        name: Everyone
        queues:
          - {slug: line, name: The line, openAt: now-1m, closeAt: now+2h, capacity: 100, admissionRate: 600,
             maxActive: 200, maxAdmissions: 5000, sessionSeconds: 600, randomizeBeforeOpen: false}
"""
QUEUE = "experiences[0].sequences[0].queues[0]"


def apply(tmp_path: Path, text: str, *options: str, name: str = "drop.yaml") -> str:
    """What the command printed."""
    path = tmp_path / name
    path.write_text(text)
    out = io.StringIO()
    call_command("apply", str(path), *options, stdout=out)
    return out.getvalue()


def refusal(tmp_path: Path, text: str, **options: str) -> dict[str, str]:
    """What was wrong, by path; nothing may have changed."""
    before = _everything()
    with pytest.raises(CommandError) as problem:
        apply(tmp_path, text, **options)
    assert problem.value.returncode == 1
    assert _everything() == before
    first, *lines = str(problem.value).splitlines()
    assert first == "Nothing was changed."
    parts = [line.removeprefix(f"{tmp_path}/drop.yaml: ").partition(": ") for line in lines]
    return {path: text for path, _, text in parts}


def _everything() -> list[Any]:
    tables = (Organization, Experience, Sequence, Distribution, ApiKey, Event)
    return [list(table.objects.order_by("pk").values()) for table in tables]


def with_queue(settings: str, zone: str = "Europe/Berlin") -> str:
    """A file whose only queue has these settings beside slug and name."""
    return f"""
organization: {{slug: shop, name: Shop, timeZone: {zone}}}
experiences: [{{slug: drop, name: Drop, sequences: [{{slug: everyone, name: Everyone, queues: [
  {{slug: line, name: The line, {settings}}}]}}]}}]
"""


def the_queue() -> Distribution:
    return Distribution.objects.select_related("queue", "tally").get()


def test_a_new_file_makes_everything_and_its_keys_work(tmp_path: Path) -> None:
    printed = json.loads(apply(tmp_path, FILE, "--json"))

    organization = printed["organization"]
    sequence = printed["experiences"]["drop"]["sequences"]["everyone"]
    queue = the_queue()
    assert organization["slug"] == "shop"
    assert sequence["queues"] == {"line": queue.pk}
    kinds = {name: sequence[name] for name in ("draws", "auctions", "timedReleases", "appointments")}
    assert kinds == {"draws": {}, "auctions": {}, "timedReleases": {}, "appointments": {}}
    assert sequence["id"] == queue.sequence_id

    world = World(
        queue.organization, queue.sequence, organization["publishableKey"], organization["secretKey"]
    )
    shown = world.shop_front().get(f"/queues/{queue.pk}").json()
    assert (shown["status"], shown["capacity"], shown["admissionRate"]) == ("OPEN", 100, 600)
    assert world.consumer().enter(queue).json()["position"] == 1
    assert_error(world.server().get("/queues/queue_nope"), 404, "Queue not found")
    assert (queue.open_at, queue.close_at) == (START - dt.timedelta(minutes=1), START + dt.timedelta(hours=2))
    settings = queue.queue
    found = (settings.max_active, settings.max_admissions, settings.session_seconds, settings.recycle_expired)
    assert found == (200, 5000, 600, True)


def test_applying_again_changes_nothing_and_shows_no_secret(tmp_path: Path, clock: Any) -> None:
    first = json.loads(apply(tmp_path, FILE, "--json"))
    before = _everything()
    clock.shift(3600)

    printed = apply(tmp_path, FILE)
    assert [line.split()[0] for line in printed.splitlines()[:4]] == ["unchanged"] * 4
    assert "--reset-times" in printed  # the times that were left as they are
    again = json.loads(apply(tmp_path, FILE, "--json"))
    assert first["organization"].pop("secretKey").startswith("sk_live_")
    assert again == first
    assert _everything() == before


def test_what_differs_is_changed_and_traced_and_nothing_else(tmp_path: Path, clock: Any) -> None:
    apply(tmp_path, FILE)
    last = Event.objects.order_by("-id").values_list("id", flat=True)[0]
    was = the_queue()
    text = FILE.replace("admissionRate: 600", "admissionRate: 700").replace("capacity: 100", "capacity: null")
    printed = apply(tmp_path, text.replace("name: The line, ", "")).splitlines()

    assert (
        printed[3]
        == "updated    queue         drop/everyone/line: capacity 100 → none, admissionRate 600 → 700"
    )
    queue = the_queue()
    assert (queue.queue.admission_rate, queue.tally.places, queue.name) == (700, None, "The line")
    assert (queue.open_at, queue.close_at) == (was.open_at, was.close_at)
    [event] = Event.objects.filter(id__gt=last)
    assert (event.name, event.actor, event.distribution_id) == ("settings.changed", "system:apply", queue.pk)
    assert event.data["before"] == {"capacity": 100, "admissionRate": 600}
    assert event.data["after"] == {"capacity": None, "admissionRate": 700}


def test_what_the_file_leaves_out_stays(tmp_path: Path) -> None:
    apply(tmp_path, FILE)
    apply(tmp_path, "organization: {slug: shop, name: The Shop}")
    assert Distribution.objects.count() == 1
    found = Organization.objects.get()
    assert (found.name, found.time_zone) == ("The Shop", "Europe/Berlin")


def test_relative_times_move_only_when_asked(tmp_path: Path, clock: Any) -> None:
    apply(tmp_path, with_queue("openAt: now+90s"))
    clock.shift(60)
    apply(tmp_path, with_queue("openAt: now+5m, closeAt: now+3d"))  # closeAt was empty: it is filled
    assert the_queue().open_at == START + dt.timedelta(seconds=90)
    assert the_queue().close_at == START + dt.timedelta(days=3, seconds=60)
    apply(tmp_path, with_queue("openAt: now+5m, closeAt: now+3d"), "--reset-times")
    assert the_queue().open_at == START + dt.timedelta(minutes=6)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('"2026-12-01T10:00:00+02:00"', dt.datetime(2026, 12, 1, 8, tzinfo=dt.UTC)),
        ("2026-12-01 10:00", dt.datetime(2026, 12, 1, 9, tzinfo=dt.UTC)),  # Berlin
        ("2026-07-01T10:00:30", dt.datetime(2026, 7, 1, 8, 0, 30, tzinfo=dt.UTC)),  # Berlin, summer
        ("2026-12-01T10:00, timeZone: America/New_York", dt.datetime(2026, 12, 1, 15, tzinfo=dt.UTC)),
        ("now", START),
        ("now-5m", START - dt.timedelta(minutes=5)),
        ("now+3d", START + dt.timedelta(days=3)),
    ],
)
def test_times(tmp_path: Path, given: str, expected: dt.datetime) -> None:
    apply(tmp_path, with_queue(f"openAt: {given}"))
    assert the_queue().open_at == expected


def test_dry_run_tells_and_changes_nothing(tmp_path: Path) -> None:
    before = _everything()
    assert "created    queue         drop/everyone/line" in apply(tmp_path, FILE, "--dry-run")
    planned = json.loads(apply(tmp_path, FILE, "--dry-run", "--json"))
    assert planned["organization"]["id"] is None
    assert "secretKey" not in planned["organization"]
    assert _everything() == before


def test_new_keys_leave_the_old_ones_valid(tmp_path: Path, clock: Any) -> None:
    old = json.loads(apply(tmp_path, FILE, "--json"))["organization"]
    clock.shift(1)
    new = json.loads(apply(tmp_path, FILE, "--json", "--new-keys"))["organization"]
    assert new["secretKey"] != old["secretKey"]
    assert new["publishableKey"] != old["publishableKey"]
    assert keys.find(old["secretKey"], KeyKind.SECRET)
    newest = keys.find(new["publishableKey"], KeyKind.PUBLISHABLE)
    assert newest is not None
    keys.revoke(newest, now=time.now(), actor="system:test")
    shown = json.loads(apply(tmp_path, FILE, "--json"))["organization"]
    assert shown["publishableKey"] == old["publishableKey"]


def test_json_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"organization": {"slug": "shop", "name": "Sh\U0001f45fp"}}, indent="\t")
    apply(tmp_path, text, name="drop.json")
    assert Organization.objects.get().name == "Sh\U0001f45fp"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(FILE.encode())))
    out = io.StringIO()
    call_command("apply", "-", "--json", stdout=out)
    assert json.loads(out.getvalue())["organization"]["slug"] == "shop"
    assert out.getvalue().count("\n") == 1


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    found = refusal(
        tmp_path,
        """
organization: {slug: Bad Slug, timeZone: Mars/X, name: 3, foo: 1, allowedOrigins: [ftp://x]}
shop: 1
experiences:
  - {slug: a, name: A, openAt: 2026-12-01 10:00, closeAt: 2026-12-01 09:00, theme: {primaryColor: red},
     sequences: [
       {slug: s, name: S, color: red, carousels: [], accessCode: X},
       {slug: s, name: T},
       {slug: u, priority: 99999999, queues: [
         {slug: q, name: Q, admissionRate: fast, capacity: -1, sessionSeconds: 0, openAt: soon},
         {slug: r, openAt: now+1h, closeAt: now, enterFrom: now+2h, maxActive: true, supportsGuest: 1},
         {slug: t, name: T, randomizeBeforeOpen: true, capacity: 1000000001, metadata: [1]}, 7]}]}
""",
    )
    queues = "experiences[0].sequences[2].queues"
    assert set(found) == {
        "shop",
        "organization.slug",
        "organization.timeZone",
        "organization.name",
        "organization.foo",
        "organization.allowedOrigins",
        "experiences[0].closeAt",
        "experiences[0].theme",
        "experiences[0].sequences[0].color",
        "experiences[0].sequences[0].carousels",
        "experiences[0].sequences[0].accessCode",
        "experiences[0].sequences[1].slug",
        "experiences[0].sequences[2].name",
        "experiences[0].sequences[2].priority",
        f"{queues}[0].admissionRate",
        f"{queues}[0].capacity",
        f"{queues}[0].sessionSeconds",
        f"{queues}[0].openAt",
        f"{queues}[1].name",
        f"{queues}[1].closeAt",
        f"{queues}[1].enterFrom",
        f"{queues}[1].maxActive",
        f"{queues}[1].supportsGuest",
        f"{queues}[2].randomizeBeforeOpen",
        f"{queues}[2].capacity",
        f"{queues}[2].metadata",
        f"{queues}[3]",
    }
    assert "Unknown name" in found["experiences[0].sequences[0].carousels"]


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("admissionRate: 0", "admissionRate"),
        ("admissionRate: 1.5", "admissionRate"),
        ("maxAdmissions: 99999999999999999999999", "maxAdmissions"),
        ("sessionSeconds: 2592001", "sessionSeconds"),
        ("maxEntriesPerFingerprint: 0", "maxEntriesPerFingerprint"),
        ("openAt: 2026-02-30 10:00", "openAt"),
        ("openAt: 2026-12-01", "openAt"),
        ("openAt: now+99999999d", "openAt"),
        ("openAt: 1", "openAt"),
        ("recycleExpired: null", "recycleExpired"),
        ("timeZone: Nowhere/Land", "timeZone"),
        ('metadata: {a: "\\0"}', "metadata"),
        ("metadata: {a: .nan}", "metadata"),
        ("openAt: now, closeAt: now", "closeAt"),
        ("enterFrom: now", "enterFrom"),
        ("waitlist: {}", "waitlist"),
        ("admission_rate: 5", "admission_rate"),
    ],
)
def test_one_wrong_setting(tmp_path: Path, setting: str, name: str) -> None:
    assert list(refusal(tmp_path, with_queue(setting))) == [f"{QUEUE}.{name}"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "organization: 1",
        "organization: {name: X}",
        "organization: {slug: a",
        "organization: {slug: a, slug: b}",
        '{"organization": {"slug": "a", "slug": "b"}}',
        '{"organization": {"slug": "a", "metadata": NaN}}',
        "organization: &a {slug: a, theme: *a}",
        "organization: !!python/object/apply:os.getcwd []",
        "1: 2",
        "[" * 100_000,
        '{"a":' * 100_000,
        "organization: {slug: a, name: " + "9" * 5_000 + "}",
        "#" * (1024 * 1024 + 1),
        "\x00",
    ],
    ids=range(16),
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text)


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path) -> None:
    path = tmp_path / "drop.yaml"
    path.write_bytes(b"\xff\xfe")
    for name, reason in ((str(path), "Not UTF-8"), (str(tmp_path / "none"), "No such file")):
        with pytest.raises(CommandError, match=reason):
            call_command("apply", name)


def test_a_closed_queue_keeps_its_times(tmp_path: Path) -> None:
    apply(tmp_path, with_queue("openAt: now-1m"))
    switches.close(the_queue(), now=time.now(), actor="system:test")
    late = refusal(tmp_path, with_queue("closeAt: 2027-01-01T00:00:00Z"))
    assert list(late) == [f"{QUEUE}.closeAt"]
    assert "closed for good" in late[f"{QUEUE}.closeAt"]
    apply(tmp_path, with_queue("name: Over").replace("name: The line, ", ""))  # the rest may change
    assert the_queue().name == "Over"


def test_the_lot_is_decided_before_anyone_enters(tmp_path: Path, clock: Any) -> None:
    text = with_queue("openAt: now+1h, enterFrom: now")
    by_lot = with_queue("openAt: now+1h, enterFrom: now, randomizeBeforeOpen: true")
    printed = json.loads(apply(tmp_path, text, "--json"))["organization"]
    assert drawings.of(the_queue()) is None
    apply(tmp_path, by_lot)
    assert len(the_queue().drawing.commitment) == 64

    queue = the_queue()
    world = World(queue.organization, queue.sequence, printed["publishableKey"], printed["secretKey"])
    assert world.consumer().enter(queue).status_code == 200
    off = text.replace("enterFrom: now", "randomizeBeforeOpen: false")
    assert list(refusal(tmp_path, off)) == [f"{QUEUE}.randomizeBeforeOpen"]


def test_the_lot_can_not_be_turned_on_after_opening(tmp_path: Path, clock: Any) -> None:
    apply(tmp_path, with_queue("openAt: now+1h"))
    clock.shift(3600)
    text = with_queue("randomizeBeforeOpen: true")
    assert list(refusal(tmp_path, text)) == [f"{QUEUE}.randomizeBeforeOpen"]


def test_another_organization_is_out_of_reach(tmp_path: Path) -> None:
    other = make_world("other")
    theirs = other.queue(capacity=7)
    apply(tmp_path, FILE)
    theirs.refresh_from_db()
    assert (theirs.organization_id, theirs.tally.places) == (other.organization.id, 7)
    assert Experience.objects.filter(slug="drop").count() == 2
