"""`/e/…`: which experience an address means, and what surrounds its page."""

import re
from typing import Any

import pytest
from django.test import Client

from distributions.pages import finding
from experiences import keys
from experiences.models import ApiKey, Experience, KeyKind, KeyMode
from fanfare import clock as time
from tests.api.servers import postgresql_away
from tests.pages.visitor import page, text_of, told
from tests.world import World, make_world


def test_by_id_by_slug_and_by_both_slugs(world: World) -> None:
    experience = world.sequence.experience
    for name in (experience.pk, "drop", f"{world.organization.slug}/drop"):
        answer = page(f"/e/{name}")
        assert answer.status_code == 200
        assert told(answer)["experienceId"] == experience.pk
        assert told(answer)["publishableKey"] == world.publishable
    assert finding.address(experience).endswith(f"/e/{world.organization.slug}/drop")


def test_a_slug_of_two_organizations_names_neither(world: World) -> None:
    other = make_world()
    assert page("/e/drop").status_code == 404
    for one in (world, other):
        answer = page(f"/e/{one.organization.slug}/drop")
        assert told(answer)["experienceId"] == one.sequence.experience.pk


@pytest.mark.parametrize(
    "path", ["/e/none", "/e/exp_01ARZ3NDEKTSV4RRFFQ69G5FAV", "/e/exp_x", "/e/nobody/drop", "/e/a%00b"]
)
def test_unknown_is_a_page_of_the_same_look(world: World, path: str) -> None:
    answer = page(path, **{"Accept-Language": "de"})
    assert answer.status_code == 404
    assert "Hier ist nichts" in text_of(answer)
    assert "style.css" in answer.content.decode()


def test_nothing_is_set_for_who_looks(world: World, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(2):
        answer = page("/e/drop")
    assert not answer.cookies
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_the_policy_lets_nothing_in_but_by_nonce(world: World) -> None:
    answer = page("/e/drop")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    nonce = policy["script-src"]
    assert re.fullmatch(r"'nonce-[A-Za-z0-9+/=]{16,}'", nonce)
    assert policy["style-src"] == nonce
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == policy["form-action"] == "'self'"
    html = answer.content.decode()
    executable = [tag for tag in re.findall(r"<(?:script|style|link)\b[^>]*>", html) if "json" not in tag]
    loading = [tag for tag in executable if 'rel="icon"' not in tag]
    assert loading and all(f'nonce="{nonce[7:-1]}"' in tag for tag in loading)
    assert not re.search(r"\son\w+=|javascript:|\sstyle=", html)
    assert page("/e/drop").headers["Content-Security-Policy"] != answer.headers["Content-Security-Policy"]


def test_names_are_text_wherever_they_stand(world: World) -> None:
    name = '</script><img src=x onerror="alert(1)">'
    Experience.objects.update(name=name, description=name)
    html = page("/e/drop").content.decode()
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_the_key_changes_only_when_it_is_revoked(world: World) -> None:
    organization = world.organization
    now = time.now()
    keys.create(organization, KeyKind.PUBLISHABLE, now=now, actor="system:test", mode=KeyMode.TEST)
    keys.create(organization, KeyKind.PUBLISHABLE, now=now, actor="system:test")
    assert told(page("/e/drop"))["publishableKey"] == world.publishable
    for key in ApiKey.objects.filter(text__startswith="pk_live"):
        keys.revoke(key, now=now, actor="system:test")
    assert told(page("/e/drop"))["publishableKey"].startswith("pk_test_")
    for key in ApiKey.objects.filter(kind=KeyKind.PUBLISHABLE):
        keys.revoke(key, now=now, actor="system:test")
    answer = page("/e/drop")
    assert answer.status_code == 503
    assert "still setting this page up" in text_of(answer)


def test_while_postgresql_is_away(world: World) -> None:
    with postgresql_away():
        answer = page("/e/drop", **{"Accept-Language": "de"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "Ihr Platz" in text_of(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert page("/e/drop").status_code == 200


def test_other_methods_are_refused(world: World) -> None:
    assert Client().put("/e/drop").status_code == 405
    assert Client().head("/e/drop").status_code == 200
