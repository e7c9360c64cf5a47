"""`manage.py first_run`: what a start needs once, and the welcome that each start prints.

Called by `up` after the migrations. Makes the first signing key; sets up the demo in a database
without organizations; changes nothing in one that has some.
"""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import transaction

from consumers import signing
from distributions.blueprint import applying, parsing, reading, telling
from distributions.core.models import Kind
from experiences import events
from experiences.models import Experience, Membership, Organization, Role
from fanfare import clock, demo

FILE: Path = settings.BASE_DIR / "demo.yaml"
USERNAME = "demo"


class Command(BaseCommand):
    """May run any number of times, and on two machines at once."""

    help = "Make the first signing key, set up the demo in an empty database, print where everything is."

    def handle(self, *args: Any, **options: Any) -> None:
        signing.rotate(now=clock.now(), only_if_none=True)
        found = _set_up() or demo.read()
        self.stdout.write(_addresses())
        if found is not None and Organization.objects.filter(pk=found.organization_id).exists():
            self.stdout.write(_welcome(found))


@transaction.atomic
def _set_up() -> demo.Demo | None:
    """The new demo, or None when the database has organizations."""
    applying.lock_out_others()
    if Organization.objects.exists():
        return None
    plan = parsing.parse(reading.read(FILE.read_bytes()))
    applied = applying.apply(plan, now=clock.now(), actor=events.by_system("first_run"))
    found = demo.Demo(
        organization_id=applied.organization.id,
        publishable_key=applied.publishable or "",
        secret_key=applied.secret or "",
        username=_free_username(),
        password=secrets.token_urlsafe(12),
        queues=telling.ids_of(applied, Kind.QUEUE),
        draws=telling.ids_of(applied, Kind.DRAW),
        auctions=telling.ids_of(applied, Kind.AUCTION),
        timed_releases=telling.ids_of(applied, Kind.TIMED_RELEASE),
        appointments=telling.ids_of(applied, Kind.APPOINTMENT),
        waitlists=telling.ids_of(applied, Kind.WAITLIST),
    )
    _make_staff(found, applied.organization)
    # Before the commit: should writing fail, nothing is set up, and the next start does it anew.
    demo.write(found)
    return found


def _free_username() -> str:
    """`demo`, unless somebody has that name already: their password is theirs."""
    taken = User.objects.filter(username=USERNAME).exists()
    return f"{USERNAME}-{secrets.token_hex(3)}" if taken else USERNAME


def _make_staff(found: demo.Demo, organization: Organization) -> None:
    """An owner of the demo organization alone: no superuser, so that other tenants stay out of reach."""
    user = User.objects.create_user(found.username, password=found.password, is_staff=True)
    Membership.objects.create(user=user, organization=organization, role=Role.OWNER)


def _addresses() -> str:
    url = settings.PUBLIC_URL
    return f"""
Console          {url}/admin/
API              {url}/api/v1
Its description  {url}/api/v1/docs
"""


def _welcome(found: demo.Demo) -> str:
    kinds = (
        found.queues, found.draws, found.auctions, found.timed_releases, found.appointments, found.waitlists,
    )  # fmt: skip
    queue, draw, auction, release, appointment, waitlist = (next(iter(ids.values()), "") for ids in kinds)
    return f"""\
Demo staff       {found.username}
Password         {_password(found)}
Publishable key  {found.publishable_key}
Secret key       {found.secret_key}
Demo queue       {queue}
Demo draw        {draw}  (takes entries for a minute and a half)
Demo auction     {auction}  (three minutes)
Demo release     {release}
Demo appointment {appointment}
Demo waitlist    {waitlist}
Hosted page      {settings.PUBLIC_URL}/e/{_hosted(found)}
                 (all of it is kept in {demo.path()})

Try it: sign in as a guest, join the line, ask how it stands.

  API={settings.PUBLIC_URL}/api/v1 KEY={found.publishable_key} QUEUE={queue}
  TOKEN=$(curl -s -X POST -H "X-Publishable-Key: $KEY" $API/auth/guest |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["accessToken"])')
  curl -s -X POST -H "Authorization: Bearer $TOKEN" -H "X-Fingerprint: fp_0123456789" $API/queues/$QUEUE/enter
  curl -s -H "Authorization: Bearer $TOKEN" $API/queues/$QUEUE/status

Or send 2,000 people: .venv/bin/python manage.py crowd {queue} --people 2000
And fifty bidders:    .venv/bin/python manage.py crowd {auction} --people 50
"""


def _hosted(found: demo.Demo) -> str:
    """The path to share: both slugs."""
    organization = Organization.objects.get(pk=found.organization_id)
    experience = Experience.objects.filter(organization=organization).order_by("created_at").first()
    return f"{organization.slug}/{experience.slug}" if experience else organization.slug


def _password(found: demo.Demo) -> str:
    """The demo's password, as long as nobody has set another one."""
    user = User.objects.filter(username=found.username).first()
    return found.password if user and user.check_password(found.password) else "(changed since)"
