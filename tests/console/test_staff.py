"""Who may sign in, who gives which role, and what nobody can give themselves."""

import re
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from experiences.models import Event, Membership
from fanfare import redis
from tests.console.conftest import PASSWORD, Console, make_user, messages_of
from tests.world import World

LOGIN = "/admin/login/?next=/admin/"
ORGANIZATION, MEMBERSHIP = "experiences_organization", "experiences_membership"


def sign_in(client: Client, name: str, password: str, address: str = "10.0.0.1") -> Any:
    return client.post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address)


def test_sign_in_is_limited(clock: Any, owner: Console) -> None:
    browser = Client()
    assert sign_in(browser, "olga", PASSWORD).status_code == 302
    for _ in range(4):
        assert "correct" in sign_in(browser, "olga", "wrong").content.decode()
    assert "Wait a minute" in sign_in(browser, "olga", PASSWORD).content.decode()
    assert sign_in(browser, "olga", PASSWORD, address="10.0.0.2").status_code == 302
    clock.shift(61)
    assert sign_in(browser, "olga", PASSWORD).status_code == 302


def test_sign_in_is_limited_by_address(clock: Any, owner: Console) -> None:
    for number in range(20):
        sign_in(Client(), f"guess{number}", "wrong", address="2001:db8::1")
    assert "Wait a minute" in sign_in(Client(), "olga", PASSWORD, address="2001:db8::2").content.decode()
    assert sign_in(Client(), "olga", PASSWORD, address="2001:db9::1").status_code == 302


def test_without_redis_sign_in_is_not_limited(clock: Any, owner: Console, monkeypatch: Any) -> None:
    monkeypatch.setattr(redis, "attempt", lambda use, call: None)
    for _ in range(7):
        assert sign_in(Client(), "olga", PASSWORD).status_code == 302


def test_an_owner_adds_somebody_new(owner: Console, world: World) -> None:
    page = owner.press(ORGANIZATION, world.organization, "add-staff", who="nina@example.com", role="editor")
    link = re.sub("^https?://[^/]+", "", page.context["text"])
    nina = User.objects.get(username="nina@example.com")
    assert (nina.is_superuser, nina.is_staff, nina.has_usable_password()) == (False, True, False)
    assert Membership.objects.get(user=nina).role == "editor"
    assert Event.objects.latest("id").actor == owner.actor
    browser = Client()
    form = browser.get(link, follow=True)
    where = form.redirect_chain[-1][0]
    assert browser.post(where, {"new_password1": "short", "new_password2": "short"}).status_code == 200
    done = browser.post(where, {"new_password1": PASSWORD, "new_password2": PASSWORD})
    assert done.status_code == 302
    assert "has been used" in Client().get(link, follow=True).content.decode()
    assert sign_in(browser, "nina@example.com", PASSWORD).status_code == 302
    assert browser.get(reverse("admin:distributions_distribution_changelist")).status_code == 200


def test_somebody_known_is_added_by_who_knows_them(
    owner: Console, superuser: Console, stranger: Console, world: World
) -> None:
    # An account that another shop made may be held by that shop, whatever address it bears.
    page = owner.press(ORGANIZATION, world.organization, "add-staff", who="STAN@example.com", role="viewer")
    assert "an account of other organizations" in page.content.decode()
    assert not Membership.objects.filter(user=stranger.user, organization=world.organization).exists()
    page = superuser.press(
        ORGANIZATION, world.organization, "add-staff", who="STAN@example.com", role="viewer"
    )
    assert "stan is now viewer" in messages_of(page)
    assert Membership.objects.filter(user=stranger.user).count() == 2
    again = owner.press(ORGANIZATION, world.organization, "add-staff", who="stan", role="owner")
    assert "has a role here" in again.content.decode()
    for who in ("nobody", "a@b", "x" * 200, "nina@example.com\x00"):
        owner.press(ORGANIZATION, world.organization, "add-staff", who=who, role="viewer")
    owner.press(ORGANIZATION, world.organization, "add-staff", who="nina@example.com", role="god")
    blocked = make_user("blocked", is_active=False)
    page = owner.press(ORGANIZATION, world.organization, "add-staff", who="blocked", role="viewer")
    assert "may not use the console" in page.content.decode()
    assert not Membership.objects.filter(user=blocked.user).exists()
    assert Membership.objects.filter(organization=world.organization).count() == 2


def test_roles_are_given_by_owners_of_that_organization(
    owner: Console, editor: Console, viewer: Console, other_world: World, world: World
) -> None:
    for who in (editor, viewer):
        answer = who.press(ORGANIZATION, world.organization, "add-staff", who="olga", role="owner")
        assert answer.status_code == 403
        mine = Membership.objects.get(user=who.user)
        assert (
            who.post(reverse(f"admin:{MEMBERSHIP}_change", args=[mine.pk]), role="owner").status_code == 403
        )
        assert who.post(reverse(f"admin:{MEMBERSHIP}_delete", args=[mine.pk]), post="yes").status_code == 403
    page = owner.press(ORGANIZATION, other_world.organization, "add-staff", who="olga", role="owner")
    assert "doesn’t exist" in messages_of(page)
    owner.save(
        MEMBERSHIP,
        Membership.objects.get(user=editor.user),
        role="viewer",
        organization=other_world.organization.pk,
    )
    changed = Membership.objects.get(user=editor.user)
    assert (changed.role, changed.organization) == ("viewer", world.organization)
    owner.post(reverse(f"admin:{MEMBERSHIP}_delete", args=[changed.pk]), post="yes")
    assert not Membership.objects.filter(user=editor.user).exists()
    told = [event.data["after"]["role"] for event in Event.objects.filter(actor=owner.actor).order_by("id")]
    assert told == ["viewer", None]


def test_an_organization_keeps_an_owner(owner: Console, editor: Console, superuser: Console) -> None:
    mine = Membership.objects.get(user=owner.user)
    page = owner.save(MEMBERSHIP, mine, role="viewer")
    assert "keeps an owner" in str(page.context["adminform"].form.errors)
    assert owner.post(reverse(f"admin:{MEMBERSHIP}_delete", args=[mine.pk]), post="yes").status_code == 403
    Membership.objects.filter(user=editor.user).update(role="owner")
    owner.save(MEMBERSHIP, mine, role="viewer")
    assert Membership.objects.get(user=owner.user).role == "viewer"
    superuser.save(MEMBERSHIP, Membership.objects.get(user=editor.user), role="viewer")
    assert Membership.objects.get(user=editor.user).role == "viewer"


def test_only_superusers_touch_users(owner: Console, superuser: Console) -> None:
    url = reverse("admin:auth_user_change", args=[owner.user.pk])
    assert owner.post(url, is_superuser="on").status_code == 403
    assert owner.get(reverse("admin:auth_user_password_change", args=[superuser.user.pk])).status_code == 403
    assert owner.get(reverse("admin:auth_user_add")).status_code == 403
    superuser.client.post(
        reverse("admin:auth_user_add"),
        {"username": "mona", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"},
    )
    mona = User.objects.get(username="mona")
    assert superuser.get(reverse("admin:auth_user_change", args=[mona.pk])).status_code == 200
