"""Appointments over HTTP: slots, booking, rebooking, cancelling, checking in."""

import datetime as dt

import pytest

from fanfare import clock
from tests.world import World, path_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_booking_from_the_slots_to_the_check_in(world: World) -> None:
    """Look, book, find it again, be validated and checked in."""
    appointment, ada = world.appointment(), world.consumer()
    day = (clock.now() + dt.timedelta(days=2)).date().isoformat()
    slots = world.shop_front().get(f"{path_of(appointment)}/slots?date={day}").json()["slots"]
    assert len(slots) == 48
    assert {slot["available"] for slot in slots} == {1}
    answer = ada.post(f"{path_of(appointment)}/book", {"slotId": slots[3]["id"]})
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "ADMITTED"), body
    assert (body["slotId"], body["startTime"]) == (slots[3]["id"], slots[3]["startTime"])
    again = ada.post(f"{path_of(appointment)}/book", {"slotTime": slots[3]["startTime"]}).json()
    assert again == body
    after = world.shop_front().get(f"{path_of(appointment)}/slots?date={day}").json()["slots"]
    assert after[3]["available"] == 0
    status = ada.get(f"{path_of(appointment)}/status").json()
    assert [one["bookingId"] for one in status["bookings"]] == [body["bookingId"]]
    ics = ada.get(f"{path_of(appointment)}/bookings/{body['bookingId']}.ics")
    assert b"BEGIN:VEVENT" in ics.content
    ask = {"consumerId": ada.id, "token": body["admissionToken"]}
    verdict = world.server().post(f"{path_of(appointment)}/validate", ask).json()
    assert (verdict["valid"], verdict["bookingId"]) == (True, body["bookingId"])
    moved = ada.post(f"{path_of(appointment)}/rebook", {"slotId": slots[5]["id"]}).json()
    assert moved["slotId"] == slots[5]["id"]
    me = ada.get("/consumers/me").json()["active"]["appointments"][appointment.pk]
    assert me["bookingId"] == moved["bookingId"]
    done = world.server().post(f"{path_of(appointment)}/complete", {"consumerId": ada.id}).json()
    assert done["status"] == "COMPLETED"


def test_cancelling_frees_the_place(world: World) -> None:
    """The next one has it at once; cancelling again answers as before."""
    appointment, ada, bob = world.appointment(), world.consumer(), world.consumer()
    start = (clock.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    body = {"slotTime": start.isoformat()}
    assert ada.post(f"{path_of(appointment)}/book", body).status_code == 200
    assert bob.post(f"{path_of(appointment)}/book", body).status_code == 409
    first = ada.delete(f"{path_of(appointment)}/cancel?reason=ill").json()
    assert first == ada.delete(f"{path_of(appointment)}/cancel").json()
    assert bob.post(f"{path_of(appointment)}/book", body).status_code == 200
