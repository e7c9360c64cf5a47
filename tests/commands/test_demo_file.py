"""The demo file: who is led where, and into which line each may go."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from distributions import tasks
from distributions.core import switches
from distributions.core.models import Distribution
from experiences.models import Organization, Sequence
from fanfare import clock as time
from tests.waitlists import code_for
from tests.world import ConsumerClient, World, assert_error

DEMO = Path(__file__).resolve().parent.parent.parent / "demo.yaml"
CODE = "welcome 2026"


class Demo:
    """The demo as applied, and what its people are answered."""

    def __init__(self) -> None:
        out = io.StringIO()
        call_command("apply", str(DEMO), "--json", stdout=out)
        printed = json.loads(out.getvalue())
        keys, experience = printed["organization"], printed["experiences"]["sneaker-drop"]
        self.path = f"/experiences/{experience['id']}/enter"
        self.slugs = {sequence["id"]: slug for slug, sequence in experience["sequences"].items()}
        self.queues = {
            slug: queue_id
            for sequence in experience["sequences"].values()
            for slug, queue_id in sequence["queues"].items()
        }
        self.release = experience["sequences"]["everyone"]["timedReleases"]["flash"]
        self.returned = experience["sequences"]["second-chance"]["timedReleases"]["returned"]
        self.returns = experience["sequences"]["members"]["waitlist"]["returns"]
        self.next_time = experience["sequences"]["everyone"]["waitlist"]["next-time"]
        everyone = Sequence.objects.get(slug="everyone")
        self.world = World(Organization.objects.get(), everyone, keys["publishableKey"], keys["secretKey"])

    def led_to(self, who: ConsumerClient, code: str = "") -> str:
        """The sequence, by its slug."""
        slug: str = self.slugs[who.post(self.path, {"accessCode": code}).json()["sequenceId"]]
        return slug

    def lines_of(self, who: ConsumerClient) -> dict[str, str]:
        """What entering each of the queues says: the status, or why not."""
        found = {}
        for slug, queue_id in self.queues.items():
            body = who.post(f"/queues/{queue_id}/enter").json()
            found[slug] = body.get("status") or body["error"]
        return found


@pytest.fixture
def demo(transactional_db: None, clock: Any) -> Demo:
    return Demo()


def test_a_guest_goes_with_everyone(demo: Demo) -> None:
    guest = demo.world.consumer()
    assert demo.led_to(guest) == "everyone"
    assert demo.lines_of(guest) == {
        "line": "QUEUED",
        "early-birds": "QUEUED",
        "side-door": "Access code required",
        "members": "Sign-in required",
    }


def test_whoever_signed_in_is_a_member(demo: Demo) -> None:
    member = demo.world.member("ada@example.com")
    assert demo.led_to(member) == "members"
    assert demo.lines_of(member) == {
        "line": "QUEUED",
        "early-birds": "QUEUED",
        "side-door": "Access code required",
        "members": "QUEUED",
    }


def test_friends_have_the_code(demo: Demo) -> None:
    guest, member = demo.world.consumer(), demo.world.member()
    assert demo.led_to(guest, CODE) == demo.led_to(member, CODE) == "friends"
    assert demo.lines_of(guest)["side-door"] == demo.lines_of(member)["side-door"] == "QUEUED"
    assert (demo.lines_of(guest)["members"], demo.lines_of(member)["members"]) == (
        "Sign-in required",
        "QUEUED",
    )
    assert demo.led_to(demo.world.consumer(), "welcome 2025") == "everyone"


def test_a_friend_who_signs_in_stays_a_friend(demo: Demo) -> None:
    guest = demo.world.consumer()
    assert demo.led_to(guest, CODE) == "friends"
    before = demo.lines_of(guest)
    member = demo.world.member(guest=guest)
    assert demo.led_to(member) == "friends"
    assert demo.lines_of(member) == {**before, "members": "QUEUED"}


def test_what_the_demo_asks_is_shown(demo: Demo) -> None:
    body = demo.world.shop_front().get(demo.path.removesuffix("/enter")).json()
    asked = [(demo.slugs[sequence["id"]], sequence["requires"]) for sequence in body["sequences"]]
    assert asked == [
        ("friends", ["access_code"]),
        ("members", ["authentication"]),
        ("everyone", []),
        ("second-chance", ["access_code"]),
    ]


def test_whoever_comes_has_a_pair_at_once(demo: Demo) -> None:
    body = demo.world.consumer().post(f"/timed-releases/{demo.release}/enter").json()
    assert (body["status"], body["expiresAt"]) == ("ADMITTED", "2026-12-01T09:02:00Z")
    shown = demo.world.shop_front().get(f"/timed-releases/{demo.release}").json()
    assert (shown["inventory"], shown["available"], shown["status"]) == (40, 39, "OPEN")


def test_returned_pairs_are_offered_to_the_members_who_wait(demo: Demo) -> None:
    names = ("ann", "bob", "cem")
    people = [demo.world.member(f"{name}@example.com") for name in names]
    for one in people:
        assert one.post(f"/waitlists/{demo.returns}/enter").json()["isEntered"]
    assert_error(demo.world.consumer().post(f"/waitlists/{demo.returns}/enter"), 403, "Sign-in required")
    tasks.tick_waitlists()
    stati = [one.get(f"/waitlists/{demo.returns}/status").json() for one in people]
    assert [status.get("offerExpiresAt") for status in stati] == ["2026-12-01T09:05:00Z"] * 2 + [None]
    assert demo.led_to(people[0], code_for("ann")) == "second-chance"
    body = people[0].post(f"/timed-releases/{demo.returned}/enter").json()
    assert body["status"] == "ADMITTED"
    assert demo.led_to(people[2], code_for("bob")) == "members"


def test_who_comes_too_late_is_told_of_the_next_drop(demo: Demo) -> None:
    switches.close(Distribution.objects.get(pk=demo.release), now=time.now(), actor="staff:1")
    guest = demo.world.consumer()
    body = assert_error(guest.post(f"/timed-releases/{demo.release}/enter"), 400, "Timed release is closed")
    assert body["next"] == {"kind": "waitlist", "id": demo.next_time}
    assert guest.post(f"/waitlists/{demo.next_time}/enter").json()["isEntered"]


def test_applying_the_demo_again_changes_nothing(demo: Demo) -> None:
    out = io.StringIO()
    call_command("apply", str(DEMO), stdout=out)
    assert {line.split()[0] for line in out.getvalue().splitlines()[:-1]} == {"unchanged"}
    assert "WELCOME" not in out.getvalue()


def test_the_code_is_the_only_way_to_the_side_door(demo: Demo) -> None:
    who = demo.world.member()
    demo.led_to(who)
    answer = who.post(f"/queues/{demo.queues['side-door']}/enter")
    assert_error(answer, 403, "Access code required", "ACCESS_CODE_REQUIRED")
