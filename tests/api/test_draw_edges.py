"""Draws where something happened a moment ago: by hand, at the end, or slowly."""

import datetime as dt
import http.server
import threading
import time as real_time
from typing import Any

import pytest
from django.conf import settings

from distributions import tasks
from distributions.core import polling
from distributions.core.models import Drawing
from distributions.draws import beacon, results, rules
from fanfare import clock as time
from fanfare import errors, memo, redis
from tests.world import World, assert_error


def test_nobody_leaves_a_list_that_staff_have_frozen(
    world: World, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a process remembers the draw from before."""
    monkeypatch.setattr(settings, "MEMO_SECONDS", 1.0)
    draw, one = world.draw(), world.consumer()
    one.enter(draw)
    assert one.status(draw).json()["status"] == "QUEUED"
    monkeypatch.setattr(memo.Memo, "forget", lambda self: None)  # another process, which has heard nothing
    assert rules.freeze(draw.pk, now=time.now(), actor="staff:1")
    assert_error(one.leave(draw), 400, "Draw is closed", "DRAW_CLOSED")
    assert Drawing.objects.get(pk=draw.pk).entries == 1


def test_a_list_is_frozen_when_it_is_whole(world: World, clock: Any) -> None:
    """With a million entries that is seconds after it was begun; and so winners have all their time."""
    draw, one = world.draw(claim_seconds=60), world.consumer()
    one.enter(draw)
    clock.shift(60)
    began = time.now()

    def later() -> dt.datetime:
        clock.shift(7)
        return time.now()

    assert rules.freeze(draw.pk, now=began, actor="system:test", at=later)
    assert results.run(draw.pk, now=began, actor="system:test", at=later) == 1
    drawing, drawn_at = Drawing.objects.get(pk=draw.pk), began + dt.timedelta(seconds=14)
    assert (drawing.frozen_at, drawing.drawn_at) == (began + dt.timedelta(seconds=7), drawn_at)
    expires_at = dt.datetime.fromisoformat(one.status(draw).json()["expiresAt"])
    assert expires_at - drawn_at == dt.timedelta(seconds=60)


def test_no_place_after_the_end_by_hand_either(world: World, clock: Any) -> None:
    draw = world.draw(claim_seconds=5, end_at=time.now() + dt.timedelta(seconds=70))
    people = [world.consumer() for _ in range(3)]
    for one in people:
        one.enter(draw)
    clock.shift(60)
    tasks.tick_draws()
    next(one for one in people if one.status(draw).json()["drawStatus"] == "WON").leave(draw)
    clock.shift(10)
    with pytest.raises(errors.Closed):
        results.offer_next(draw.pk, now=time.now(), actor="staff:1")


def test_alternates_ask_often_enough_not_to_miss_their_turn(world: World, clock: Any) -> None:
    draw = world.draw(claim_seconds=12)
    people = [world.consumer() for _ in range(4)]
    for one in people:
        one.enter(draw)
    clock.shift(60)
    tasks.tick_draws()
    waiting = [body for body in (one.status(draw).json() for one in people) if body["status"] == "QUEUED"]
    assert len(waiting) == 3
    assert all(polling.NEAR <= body["pollAfterSeconds"] <= 5 for body in waiting)


class _Drips(http.server.BaseHTTPRequestHandler):
    """Sends a byte now and then, and never comes to an end while somebody reads."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(400):
                self.wfile.write(b" ")
                self.wfile.flush()
                threading.Event().wait(0.02)
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def test_a_relay_that_drips_holds_nobody_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Drips)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(settings, "BEACON_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(beacon, "FETCH_SECONDS", 1)
    monkeypatch.setattr(beacon, "SLOW_SECONDS", 0.5)
    _Drips.asked = 0
    began = real_time.monotonic()
    for _ in range(20):
        assert beacon.fetch(beacon.QUICKNET, 1000) is None
    assert real_time.monotonic() - began < 6  # all that it drips would take longer
    assert _Drips.asked == 1  # then there is a pause, for all draws together
    assert redis.client().exists(redis.BEACON_ASKED)
    server.shutdown()
    server.server_close()
