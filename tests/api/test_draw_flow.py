"""A draw from its first entry to the shop's completion, through HTTP and the tasks."""

from typing import Any

from distributions import tasks
from tests.world import FINGERPRINT, World, assert_error


def test_a_draw_from_entry_to_completion(world: World, clock: Any) -> None:
    draw = world.draw(draws_in=60, winner_count=2, claim_seconds=None)
    front, people = world.shop_front(), [world.consumer() for _ in range(5)]
    path = f"/draws/{draw.pk}"

    before = front.get(path).json()
    assert (before["status"], before["entrantCount"], before["winnerCount"]) == ("OPEN", 0, 2)
    assert before["verification"] == {"level": "commit-reveal", "status": "COMMITTED"}
    entered = [one.enter(draw).json() for one in people]
    assert [body["entryNumber"] for body in entered] == [1, 2, 3, 4, 5]
    assert {body["status"] for body in entered} == {"QUEUED"}
    assert {body["drawStatus"] for body in entered} == {"ENTERED"}
    assert people[2].leave(draw).json()["status"] == "LEFT"
    assert front.get(path).json()["entrantCount"] == 4
    assert front.get(f"{path}/proof").json()["status"] == "COMMITTED"

    clock.shift(60)
    assert front.get(path).json()["status"] == "CLOSED"
    assert_error(world.consumer().enter(draw), 400, "Draw is closed", "DRAW_CLOSED")
    assert_error(people[0].leave(draw), 400, "Draw is closed", "DRAW_CLOSED")
    tasks.freeze_draw(draw.pk)
    frozen = front.get(f"{path}/proof").json()
    assert (frozen["status"], frozen["entryCount"], frozen["numbersGiven"]) == ("FROZEN", 4, 5)
    assert frozen["removedBeforeDraw"] == {"count": 1, "reasons": {"LEFT": 1}}
    assert "seed" not in frozen
    assert {one.status(draw).json()["status"] for one in people if one is not people[2]} == {"QUEUED"}
    tasks.tick_draws()

    shown = front.get(path).json()
    assert (shown["status"], shown["commitment"]) == ("DRAWN", before["commitment"])
    found = [one.status(draw).json() for one in people]
    won = [body for body in found if body["status"] == "ADMITTED"]
    lost = [body for body in found if body["status"] == "DENIED"]
    assert (len(won), len(lost), found[2]["status"]) == (2, 2, "LEFT")
    assert {body["drawStatus"] for body in won} == {"WON"}
    assert {(body["drawStatus"], body["denyReason"]) for body in lost} == {("LOST", "NOT_SELECTED")}
    proof = front.get(f"{path}/proof").json()
    assert {one["number"] for one in proof["winners"]} == {body["entryNumber"] for body in won}

    body, server = won[0], world.server()
    token = {"consumerId": body["consumerId"], "token": body["admissionToken"]}
    assert server.post(f"{path}/validate", token, **{"X-Fingerprint": FINGERPRINT}).json()["valid"]
    done = server.post(f"{path}/complete", {"consumerId": body["consumerId"], "orderId": "A-1"}).json()
    assert (done["status"], done["drawStatus"]) == ("COMPLETED", "WON")
    loser = {"consumerId": lost[0]["consumerId"]}
    refused = assert_error(server.post(f"{path}/complete", loser), 409, "Illegal transition")
    assert refused["status"] == "DENIED"
    denied = server.post(f"{path}/deny", {**loser, "reason": "FRAUD_DETECTED"}).json()
    assert denied["denyReason"] == "NOT_SELECTED"
    whole = front.get(f"{path}/proof/file").json()
    assert whole["entries"]["nextCursor"] is None
    assert {**whole, "entries": proof["entries"]} == {**proof, "entries": proof["entries"]}
