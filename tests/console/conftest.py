"""Staff at the console: an owner, an editor and a viewer of one shop, a stranger's owner, a superuser."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from experiences.models import Membership, Organization
from tests.world import World, make_world

PASSWORD = "a long pass phrase"


class Console:
    """A staff user's browser."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.actor = f"staff:{user.pk}"
        self.client = Client(raise_request_exception=False)
        self.client.force_login(user)

    def get(self, url: str, **query: Any) -> Any:
        return self.client.get(url, query)

    def post(self, url: str, **body: Any) -> Any:
        return self.client.post(url, body)

    def list(self, model: str, **query: Any) -> Any:
        return self.get(reverse(f"admin:{model}_changelist"), **query)

    def open(self, model: str, thing: Any, **query: Any) -> Any:
        return self.get(reverse(f"admin:{model}_change", args=[thing.pk]), **query)

    def press(self, model: str, thing: Any, button: str, **body: Any) -> Any:
        """Press a button, and follow to the page with the message."""
        url = reverse(f"admin:{model}_press", args=[thing.pk, button])
        return self.client.post(url, body, follow=True)

    def save(self, model: str, thing: Any, **changes: Any) -> Any:
        """Open a thing's form, change some fields, send it as a browser does."""
        url = reverse(f"admin:{model}_change", args=[thing.pk])
        body = fields_of(self.get(url)) | changes
        return self.client.post(url, body, follow=True)

    def add(self, model: str, query: str = "", **values: Any) -> Any:
        """Open an empty form, fill some fields, send it."""
        url = reverse(f"admin:{model}_add") + query
        return self.client.post(url, fields_of(self.get(url)) | values, follow=True)


def fields_of(page: Any) -> dict[str, Any]:
    """What a browser would send back of a page's form, unchanged."""
    assert page.status_code == 200, page.content
    form = page.context["adminform"].form
    body: dict[str, Any] = {}
    for bound in form:
        if bound.field.disabled:
            continue
        value = bound.value()
        if hasattr(bound.field.widget, "decompress"):
            for number, part in enumerate(bound.field.widget.decompress(value)):
                body[f"{bound.html_name}_{number}"] = "" if part is None else str(part)
        elif isinstance(value, bool):
            body |= {bound.html_name: "on"} if value else {}
        else:
            body[bound.html_name] = "" if value is None else value
    for formset in page.context["inline_admin_formsets"]:
        management = formset.formset.management_form
        body |= {management.add_prefix(name): value for name, value in management.initial.items()}
    return body


def messages_of(page: Any) -> str:
    """All messages of a page, in one line."""
    return " | ".join(str(message) for message in page.context["messages"])


def make_user(name: str, organization: Organization | None = None, role: str = "", **more: Any) -> Console:
    user = User.objects.create_user(name, f"{name}@example.com", PASSWORD, **{"is_staff": True, **more})
    if organization is not None:
        Membership.objects.create(user=user, organization=organization, role=role)
    return Console(user)


@pytest.fixture
def owner(world: World) -> Console:
    return make_user("olga", world.organization, "owner")


@pytest.fixture
def editor(world: World) -> Console:
    return make_user("edgar", world.organization, "editor")


@pytest.fixture
def viewer(world: World) -> Console:
    return make_user("vera", world.organization, "viewer")


@pytest.fixture
def other_world(world: World) -> World:
    """Another tenant, whose names must not show."""
    made = make_world("rival-shop")
    made.sequence.experience.name = "Rival drop"
    made.sequence.experience.save()
    return made


@pytest.fixture
def stranger(other_world: World) -> Console:
    return make_user("stan", other_world.organization, "owner")


@pytest.fixture
def superuser(world: World) -> Console:
    return make_user("root", is_superuser=True)
