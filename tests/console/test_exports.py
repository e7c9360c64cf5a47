"""The trace and the participations as files: what is in them, for whom, safely, and however long."""

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from distributions.core.models import Participation
from experiences.models import Event
from fanfare import export_admin
from tests.console.conftest import Console, messages_of
from tests.console.pages import DISTRIBUTION, PARTICIPATION
from tests.lines import deny
from tests.world import World, path_of

EVENT = "experiences_event"
pytestmark = pytest.mark.usefixtures("clock")


def url_of(model: str, kind: str) -> str:
    return reverse(f"admin:{model}_export", args=[kind])


def taken(who: Console, model: str, **query: Any) -> list[dict[str, Any]]:
    """The rows of a file of JSON Lines."""
    answer = who.get(url_of(model, "jsonl"), **query)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.getvalue().decode().splitlines()]


def table(who: Console, model: str, **query: Any) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    answer = who.get(url_of(model, "csv"), **query)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="')
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


# --- The trace ------------------------------------------------------------------------------------
def test_a_trace_is_filtered_and_taken_away(editor: Console, world: World, clock: Any) -> None:
    queue, other, guest = world.queue(), world.queue(), world.consumer()
    guest.enter(queue)
    guest.enter(other)
    clock.shift(3600)
    editor.press(DISTRIBUTION, queue, "pause", reason="A flood")
    mine = {"distribution_id__exact": queue.pk}
    asked: list[tuple[dict[str, str], list[str]]] = [
        (mine, ["queue.consumer.entered", "queue.paused"]),
        (mine | {"event": "queue.consumer."}, ["queue.consumer.entered"]),
        (mine | {"event": "queue.paused"}, ["queue.paused"]),
        (mine | {"by": "staff"}, ["queue.paused"]),
        (mine | {"by": "consumer"}, ["queue.consumer.entered"]),
        (mine | {"by": "key"}, []),
        (mine | {"at_from_0": "2026-12-01", "at_from_1": "09:30:00"}, ["queue.paused"]),
        (mine | {"at_to_0": "2026-12-01", "at_to_1": "09:30"}, ["queue.consumer.entered"]),
        (mine | {"at_from_0": "2026-12-02"}, []),
        (mine | {"at_to_0": "2026-12-01"}, ["queue.consumer.entered", "queue.paused"]),
        (mine | {"at_from_0": "yesterday", "at_from_1": "x"}, ["queue.consumer.entered", "queue.paused"]),
        ({"consumer_id__exact": guest.id, "event": "queue."}, ["queue.consumer.entered"] * 2),
    ]
    for query, names in asked:
        assert [row["name"] for row in taken(editor, EVENT, **query)] == names, query
        page = editor.list(EVENT, **query)
        assert [event.name for event in page.context["cl"].result_list] == names[::-1], query
        assert page.context["csv_url"].partition("?")[0] == url_of(EVENT, "csv")
    (paused,) = taken(editor, EVENT, **mine, by="staff")
    event = Event.objects.get(name="queue.paused")
    assert paused == {
        "id": event.pk, "at": "2026-12-01T10:00:00Z", "name": "queue.paused", "actor": editor.actor,
        "organizationId": world.organization.pk, "distributionId": queue.pk, "consumerId": None,
        "data": {"reason": "A flood"},
    }  # fmt: skip
    (row,) = table(editor, EVENT, **mine, by="staff")
    assert (row["at"], row["consumerId"], row["data"]) == (paused["at"], "", '{"reason":"A flood"}')
    page = editor.list(EVENT, **mine, by="staff")
    assert f"edgar ({editor.actor})" in page.content.decode()


def test_what_the_list_does_not_take_the_file_does_not_either(editor: Console, world: World) -> None:
    world.consumer()
    for query in ({"actor__contains": "x"}, {"data__reason": "x"}, {"distribution_id__gt": "a"}):
        assert editor.get(url_of(EVENT, "csv"), **query).status_code == 302
    assert editor.get(url_of(EVENT, "xml")).status_code == 403


# --- Participations -------------------------------------------------------------------------------
def test_participations_are_taken_away(editor: Console, world: World) -> None:
    queue, ada, guest = world.queue(), world.member("ada@example.com"), world.consumer()
    ada.post(f"{path_of(queue)}/enter", {"metadata": {"size": 42}})
    guest.enter(queue)
    guest.enter(world.queue())
    deny(queue, guest.id, reason="Too many pairs")
    query = {"distribution__id__exact": queue.pk}
    first, second = taken(editor, PARTICIPATION, **query)
    assert (first["consumerId"], first["status"], first["place"], first["metadata"], first["email"]) == (
        ada.id, "QUEUED", 1, {"size": 42}, "ada@example.com",
    )  # fmt: skip
    assert (second["status"], second["denyReason"], second["endedAt"]) == (
        "DENIED", "Too many pairs", "2026-12-01T09:00:00Z",
    )  # fmt: skip
    rows = table(editor, PARTICIPATION, **query)
    assert [row["id"] for row in rows] == [str(first["id"]), str(second["id"])]
    assert list(rows[0]) == list(first)
    (denied,) = table(editor, PARTICIPATION, **query, status__exact="DENIED")
    assert denied["consumerId"] == guest.id


def test_addresses_are_for_those_who_steer(
    viewer: Console, editor: Console, superuser: Console, world: World, other_world: World
) -> None:
    queue, theirs = world.queue(), other_world.queue()
    world.member("ada@example.com").enter(queue)
    other_world.member("bob@example.com").enter(theirs)
    assert [row.get("email") for row in taken(viewer, PARTICIPATION)] == [None]
    assert "email" not in table(viewer, PARTICIPATION)[0]
    assert [row["email"] for row in taken(editor, PARTICIPATION)] == ["ada@example.com"]
    editor.user.memberships.create(organization=other_world.organization, role="viewer")
    assert [row["email"] for row in taken(editor, PARTICIPATION)] == ["ada@example.com", None]
    assert len(taken(superuser, PARTICIPATION)) == 2
    assert "@example.com" not in str(taken(viewer, EVENT))


def test_other_tenants_get_nothing(stranger: Console, viewer: Console, world: World) -> None:
    queue, guest = world.queue(), world.consumer()
    guest.enter(queue)
    for query in ({}, {"distribution__id__exact": queue.pk}, {"q": guest.id}):
        assert taken(stranger, PARTICIPATION, **query) == []
    for query in ({"distribution_id__exact": queue.pk}, {"consumer_id__exact": guest.id}):
        assert taken(stranger, EVENT, **query) == []
        assert taken(viewer, EVENT, **query) != []
    for model in (EVENT, PARTICIPATION):
        assert Client().get(url_of(model, "csv")).headers["Location"].startswith("/admin/login/")


def test_no_spreadsheet_runs_what_somebody_wrote(editor: Console, world: World) -> None:
    queue = world.queue()
    bad = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", 'a"b,c\nd', "plain"]
    for reason in bad:
        guest = world.consumer()
        guest.enter(queue)
        Participation.objects.filter(consumer_id=guest.id).update(order_id=reason)
    got = [row["orderId"] for row in table(editor, PARTICIPATION)]
    assert got == [*(f"'{reason}" for reason in bad[:7]), 'a"b,c\nd', "plain"]
    assert [row["orderId"] for row in taken(editor, PARTICIPATION)] == bad  # data stays data


# --- However long ---------------------------------------------------------------------------------
def test_it_comes_in_batches_each_its_own_query(editor: Console, world: World, monkeypatch: Any) -> None:
    queue = world.queue()
    for _ in range(7):
        world.consumer().enter(queue)
    monkeypatch.setattr(export_admin, "BATCH", 3)
    with CaptureQueriesContext(connection) as queries:
        rows = taken(editor, PARTICIPATION)
    assert [row["place"] for row in rows] == list(range(1, 8))
    batches = [query["sql"] for query in queries if "LIMIT 3" in query["sql"]]
    assert len(batches) == 3
    assert all(" OFFSET " not in sql and "ORDER BY" in sql for sql in batches)


def test_one_at_a_time_in_a_process(editor: Console, viewer: Console, world: World) -> None:
    world.consumer().enter(world.queue())
    running = editor.get(url_of(EVENT, "csv"))
    page = viewer.client.get(url_of(EVENT, "csv"), {"by": "staff"}, follow=True)
    assert "Another export is under way" in messages_of(page)
    assert page.context["cl"].params == {"by": "staff"} or "by=staff" in page.request["QUERY_STRING"]
    running.close()  # nobody reads it to its end
    assert taken(viewer, EVENT)
    assert taken(viewer, EVENT)
