"""`manage.py first_run`: the demo in an empty database, once; nothing in any other."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from consumers.models import SigningKey
from distributions.core.models import Distribution
from experiences.models import Membership, Organization
from fanfare import demo
from tests.world import FINGERPRINT, ApiClient, make_world


@pytest.fixture(autouse=True)
def _data_dir(settings: Any, tmp_path: Path, transactional_db: None) -> None:
    settings.DATA_DIR = tmp_path / "data"


def run() -> str:
    out = io.StringIO()
    call_command("first_run", stdout=out)
    return out.getvalue()


def test_the_first_start_sets_up_a_demo_that_works(settings: Any) -> None:
    printed = run()
    found = demo.read()
    assert found is not None
    for shown in (found.publishable_key, found.secret_key, found.password, f"{settings.PUBLIC_URL}/admin/"):
        assert shown in printed
    assert demo.path().stat().st_mode & 0o777 == 0o600
    assert SigningKey.objects.count() == 1

    queue = found.queues["line"]
    shopper = ApiClient({"X-Publishable-Key": found.publishable_key, "X-Fingerprint": FINGERPRINT})
    token = shopper.post("/auth/guest").json()["accessToken"]
    entered = shopper.post(f"/queues/{queue}/enter", Authorization=f"Bearer {token}")
    assert (entered.status_code, entered.json()["status"]) == (200, "QUEUED")
    early = shopper.get(f"/queues/{found.queues['early-birds']}").json()
    assert (early["status"], "commitment" in early["shuffle"]) == ("PENDING", True)


def test_the_demo_staff_owns_the_demo_and_no_more() -> None:
    run()
    found = demo.read()
    assert found is not None
    user = User.objects.get(username=found.username)
    assert (user.is_staff, user.is_superuser) == (True, False)
    [membership] = Membership.objects.all()
    assert (membership.user, membership.role) == (user, "owner")
    assert membership.organization_id == found.organization_id
    assert Client().login(username=found.username, password=found.password)


def test_later_starts_print_the_same_and_change_nothing() -> None:
    first = run()
    before = (Organization.objects.get().pk, Distribution.objects.count(), SigningKey.objects.get().pk)
    assert run() == first
    assert (
        Organization.objects.get().pk,
        Distribution.objects.count(),
        SigningKey.objects.get().pk,
    ) == before


def test_a_password_set_since_is_not_printed_wrongly() -> None:
    run()
    found = demo.read()
    assert found is not None
    user = User.objects.get(username=found.username)
    user.set_password("of their own choosing")
    user.save()
    printed = run()
    assert found.password not in printed
    assert "(changed since)" in printed


def test_somebody_who_is_called_demo_keeps_their_account() -> None:
    theirs = User.objects.create_superuser("demo", password="theirs alone")
    run()
    found = demo.read()
    assert found is not None
    assert re.fullmatch("demo-[0-9a-f]{6}", found.username)
    theirs.refresh_from_db()
    assert theirs.check_password("theirs alone")


def test_a_database_in_use_is_left_alone() -> None:
    make_world("shop")
    printed = run()
    assert "/admin/" in printed
    assert "pk_live_" not in printed
    assert Organization.objects.get().slug == "shop"
    assert not User.objects.exists()
    assert demo.read() is None


def test_another_databases_demo_is_not_printed() -> None:
    run()
    Organization.objects.all().delete()
    make_world("shop")
    assert "pk_live_" not in run()
