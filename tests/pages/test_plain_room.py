"""The waiting room without JavaScript: forms, a cookie, and a page that refreshes itself."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from consumers import sessions
from consumers.models import Consumer, Session
from distributions.core import switches
from distributions.core.models import Distribution, Participation, Status
from distributions.queues import rules
from distributions.queues.models import Queue
from experiences.models import Event, Organization
from fanfare import clock as time
from tests.api.servers import redis_away
from tests.pages.visitor import Visitor, page, refresh_of, text_of
from tests.world import World, make_world

SHOP = "https://shop.example.com/cart"


def plain_world(**settings: Any) -> World:
    """An organization that asks for no fingerprint."""
    return make_world(require_fingerprint=False, return_hosts=["shop.example.com"], **settings)


def test_from_the_link_to_the_end(world: World, clock: Any) -> None:
    world = plain_world()
    queue = world.queue(admission_rate=60, session_seconds=600)
    first, second = (Visitor(world, query=f"returnUrl={SHOP}") for _ in range(2))
    assert "Join the line" in first.look()
    assert not Consumer.objects.exists()
    first.do("enter")
    shown = second.do("enter")
    assert "You are in line 2 1 person is ahead of you." in shown
    assert "your place is kept" in shown
    clock.shift(1)
    assert rules.admit_batch(queue.pk, now=time.now()) == 1
    html = first.client.get(f"{first.path}?{first.query}").content.decode()
    assert "It&#x27;s your turn" in html or "It's your turn" in html
    link = re.search(rf'href="({SHOP}[^"]+)"', html)
    assert link is not None
    (token,) = parse_qs(urlsplit(link[1]).query)["fanfareToken"]
    who = Participation.objects.get(status=Status.ADMITTED).consumer_id
    body = {"consumerId": who, "token": token}
    assert world.server().post(f"/queues/{queue.pk}/validate", body).json()["valid"] is True
    world.server().post(f"/queues/{queue.pk}/complete", {"consumerId": who})
    assert "All done" in first.look()
    assert "You are in line 1" in second.look()
    assert "You gave up your place" in second.do("leave")
    names = Event.objects.filter(distribution_id=queue.pk).values_list("name", flat=True)
    assert list(names)[-1] == "queue.consumer.left"


def test_a_wait_is_told_without_saying_a_number_twice(world: World, clock: Any) -> None:
    world = plain_world()
    queue = world.queue(admission_rate=60)
    assert "Expected wait: about a minute." in Visitor(world).do("enter")
    assert "Voraussichtliche Wartezeit: etwa eine Minute." in Visitor(world, language="de").do("enter")
    Queue.objects.filter(pk=queue.pk).update(admission_rate=1)
    assert "Expected wait: 2 to 4 minutes." in Visitor(world).do("enter")


def test_one_place_however_often(world: World, clock: Any) -> None:
    world = plain_world()
    world.queue()
    visitor = Visitor(world)
    before = visitor.client.get(f"{visitor.path}?{visitor.query}").content.decode()
    visitor.do("enter")
    assert visitor.press("enter", before).status_code == 303
    assert Participation.objects.count() == Consumer.objects.count() == Session.objects.count() == 1
    another = Visitor(world)
    another.client.cookies = visitor.client.cookies
    assert "You are in line 1" in another.look()


def test_the_cookie_is_the_pages_alone(world: World, clock: Any) -> None:
    world = plain_world()
    world.queue()
    visitor = Visitor(world)
    visitor.do("enter")
    name = f"fanfare_{world.organization.pk}"
    cookie = visitor.client.cookies[name]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/e/")
    forged = Client()
    forged.cookies[name] = Session.objects.get().pk
    assert "Join the line" in text_of(forged.get(f"{visitor.path}?plain=1"))
    foreign = plain_world()
    foreign.queue()
    elsewhere = Visitor(foreign)
    elsewhere.client.cookies[f"fanfare_{foreign.organization.pk}"] = cookie.value
    assert "Join the line" in elsewhere.look()
    sessions.end(Session.objects.get(), reason="revoked", now=time.now())
    assert "Join the line" in visitor.look()


def test_a_form_of_somebody_elses_page_does_nothing(world: World) -> None:
    world = plain_world()
    world.queue()
    visitor = Visitor(world)
    answer = visitor.client.post(f"{visitor.path}?plain=1", {"verb": "enter"})
    assert answer.status_code == 403
    assert not Consumer.objects.exists()


def test_it_refreshes_as_advised(world: World, clock: Any) -> None:
    world = plain_world()
    world.queue(admission_rate=60)
    visitor = Visitor(world)
    path = f"{visitor.path}?{visitor.query}"
    assert refresh_of(visitor.client.get(path)) == 20
    visitor.do("enter")
    assert 5 <= refresh_of(visitor.client.get(path)) <= 60
    assert refresh_of(page(visitor.path)) == 0  # to the page without JavaScript, for who has none


def test_what_the_api_refuses(world: World, clock: Any) -> None:
    world = make_world()
    world.queue()
    answer = Visitor(world).press("enter")
    assert answer.status_code == 400
    assert "This needs JavaScript" in text_of(answer)
    assert not Participation.objects.exists()


def test_what_costs_a_proof_of_work_needs_javascript(world: World, clock: Any) -> None:
    world = plain_world()
    queue = world.queue()
    Distribution.objects.filter(pk=queue.pk).update(proof_of_work=1)
    visitor = Visitor(world)
    answers = [visitor.press("enter") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert "a small sum" in text_of(answers[0])
    assert not Participation.objects.exists()
    assert Consumer.objects.count() == 1  # who is refused is remembered


def test_limits_count(world: World, clock: Any) -> None:
    world = plain_world()
    world.queue(capacity=1)
    Visitor(world).do("enter")
    answer = Visitor(world).press("enter")
    assert (answer.status_code, "Everything is taken" in text_of(answer)) == (429, True)
    Organization.objects.filter(pk=world.organization.pk).update(rate_limits={"authentication": 1})
    clock.shift(60)
    before = Consumer.objects.count()
    answers = [Visitor(world).press("enter").status_code for _ in range(3)]
    assert answers == [429, 429, 429]
    assert Consumer.objects.count() == before + 1
    Organization.objects.filter(pk=world.organization.pk).update(rate_limits={"statusCheck": 1})
    clock.shift(60)
    visitor = Visitor(world)
    visitor.press("enter")
    codes = [visitor.client.get(f"{visitor.path}?plain=1").status_code for _ in range(2)]
    assert codes == [200, 429]


def test_before_while_paused_and_after(world: World, clock: Any) -> None:
    world = plain_world()
    queue = world.queue(opens_in=60, closes_in=600)
    german = Visitor(world, language="de")
    shown = german.look()
    assert "Es beginnt am 1. Dezember 2026" in shown
    assert "In die Schlange stellen" not in shown
    clock.shift(60)
    german.do("enter")
    _pause(queue)
    shown = german.look()
    assert "angehalten" in shown and "Wartezeit" not in shown
    clock.shift(600)
    assert "Diesmal nicht Alles war vergeben" in german.look()


def test_staff_say_something(world: World, clock: Any) -> None:
    world = plain_world()
    queue = world.queue()
    visitor = Visitor(world)
    visitor.do("enter")
    Distribution.objects.filter(pk=queue.pk).update(message="We are <b>back</b> at noon.")
    assert "We are <b>back</b> at noon." in visitor.look()


def _pause(queue: Distribution) -> None:
    switches.pause(queue, now=time.now(), actor="system:test")


def test_several_are_offered(world: World, clock: Any) -> None:
    world = plain_world()
    first, _ = world.queue(), world.release()
    visitor = Visitor(world)
    shown = visitor.look()
    assert "What are you here for?" in shown and "The line" in shown
    visitor.query += f"&at={first.pk}"
    assert "You are in line 1" in visitor.do("enter")


def test_what_asks_for_a_sign_in_needs_javascript(world: World) -> None:
    world = plain_world()
    world.sequence.requires_authentication = True
    world.sequence.save()
    world.queue()
    assert "This needs JavaScript" in Visitor(world).look()


def test_without_redis(world: World, clock: Any) -> None:
    world = plain_world()
    world.queue()
    visitor = Visitor(world)
    with redis_away():
        assert "You are in line 1" in visitor.do("enter")
    assert "You are in line 1" in visitor.look()
