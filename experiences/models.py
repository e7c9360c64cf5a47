"""The tenant and what it launches: organizations, their staff and keys, experiences, sequences.

Also the trace: one append-only table of everything that was changed, by whom (see `events`). What a
sequence ends in (queues, draws, …) lives one floor up, in `distributions`.
"""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import models
from django_otp.plugins.otp_totp.models import TOTPDevice
from simple_history.models import HistoricalRecords

from experiences import validation
from fanfare import clock, sealing
from fanfare.fields import IdField, SlugField


class Organization(models.Model):
    """A tenant: a shop, a ticket office, a clinic. Everything below belongs to exactly one."""

    id = IdField("org")
    slug = SlugField(unique=True)
    name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validation.time_zone])
    currency_code = models.CharField(max_length=3, default="EUR", validators=[validation.currency])
    language_code = models.CharField(max_length=12, default="en", validators=[validation.language])
    logo_url = models.URLField(max_length=500, blank=True, validators=[validation.https_url])
    theme = models.JSONField(default=dict, blank=True, validators=[validation.theme])
    allowed_origins = ArrayField(
        models.CharField(max_length=253, validators=[validation.origin]),
        default=list,
        blank=True,
        size=100,
    )
    return_hosts = ArrayField(
        models.CharField(max_length=253, validators=[validation.host]),
        default=list,
        blank=True,
        size=100,
    )
    require_fingerprint = models.BooleanField(default=True)
    require_two_factor = models.BooleanField(
        default=False, help_text="Staff come in with a code of their authenticator app besides the password."
    )
    rate_limits = models.JSONField(
        default=dict,
        blank=True,
        validators=[validation.rate_limits],
        help_text="Requests a minute by category, where they differ from the defaults.",
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a staff user may do in an organization."""

    OWNER = "owner", "Owner: everything, keys and staff included"
    EDITOR = "editor", "Editor: sets up and steers launches"
    VIEWER = "viewer", "Viewer: sees"


class Membership(models.Model):
    """A staff user's role in one organization; a superuser needs none."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organization"], name="one_role_per_user")]

    def __str__(self) -> str:
        return f"{self.user} · {self.role}"


class Authenticator(TOTPDevice):  # type: ignore[misc]
    """A staff user's authenticator app. The database alone does not have its key: the server's secret is
    part of it.
    """

    class Meta:
        proxy = True

    @property
    def bin_key(self) -> bytes:
        return sealing.keyed_hash("authenticator", bytes.fromhex(self.key))[:20]


class StaffSession(models.Model):
    """A browser in which a staff user is signed in; gone with Django's own session."""

    session = models.OneToOneField(Session, models.CASCADE, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="staff_sessions")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="To the minute.")
    address = models.CharField(max_length=50)
    agent = models.CharField(max_length=200, help_text="As the browser calls itself.")

    def __str__(self) -> str:
        return self.agent


class KeyKind(models.TextChoices):
    PUBLISHABLE = "publishable", "Publishable: browsers and apps"
    SECRET = "secret", "Secret: the shop's server alone"


class KeyMode(models.TextChoices):
    LIVE = "live", "Live"
    TEST = "test", "Test"


class ApiKey(models.Model):
    """A publishable or secret key. Found by the SHA-256 of its text; a secret's text is stored nowhere."""

    id = IdField("key")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=11, choices=KeyKind.choices)
    mode = models.CharField(max_length=4, choices=KeyMode.choices, default=KeyMode.LIVE)
    name = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    text = models.CharField(max_length=64, blank=True, editable=False, help_text="Publishable keys only.")
    hint = models.CharField(max_length=24, editable=False, help_text="The key's first and last characters.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.hint


class Experience(models.Model):
    """One launch. `open_at` and `close_at` are the earliest opening and latest closing inside, unless set."""

    id = IdField("exp")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="experiences")
    slug = SlugField()
    name = models.CharField(max_length=200)
    description = models.TextField(max_length=5000, blank=True)
    theme = models.JSONField(default=dict, blank=True, validators=[validation.theme])
    time_zone = models.CharField(max_length=64, blank=True, validators=[validation.time_zone])
    open_at = models.DateTimeField(null=True, blank=True)
    close_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="experience_slug"),
            models.CheckConstraint(
                condition=models.Q(close_at__gt=models.F("open_at")),
                name="experience_closes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Sequence(models.Model):
    """Who may come in by which way: conditions, and the distributions behind them."""

    id = IdField("seq")
    experience = models.ForeignKey(Experience, models.CASCADE, related_name="sequences")
    slug = SlugField()
    name = models.CharField(max_length=200)
    color = models.CharField(max_length=7, blank=True, validators=[validation.color])
    priority = models.SmallIntegerField(default=0, help_text="The highest is tried first.")
    requires_authentication = models.BooleanField(default=False, help_text="Guests can't come in.")
    requires_access_code = models.BooleanField(
        default=False, help_text="Only who enters the experience with one of the sequence's codes."
    )
    requires_audience = models.BooleanField(
        default=False, help_text="Only who is on the sequence's list, and has shown to be so by signing in."
    )
    next = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="Where to go on when this one has nothing left; empty: to its waitlist, if it has one.",
    )  # fmt: skip
    history = HistoricalRecords()

    class Meta:
        ordering = ["-priority", "id"]
        constraints = [models.UniqueConstraint(fields=["experience", "slug"], name="sequence_slug")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What follows is another one of the same experience. Raises ValidationError."""
        if self.next is not None and (self.next == self or self.next.experience_id != self.experience_id):
            raise ValidationError({"next": "It must be another sequence of the same experience."})


class AccessCode(models.Model):
    """A code that opens a sequence: to one consumer (`max_uses` 1), to some, or (null) to all who have it.
    With a `consumer_id` it was made for that one, and is to others a wrong one.

    Stored as a keyed hash (see `access_codes`); `hint` is its last two characters. `uses` counts consumers.
    """

    id = models.BigAutoField(primary_key=True)
    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="access_codes", db_index=False)
    digest = models.BinaryField(max_length=32, editable=False)
    hint = models.CharField(max_length=2, editable=False)
    label = models.CharField(max_length=100, blank=True, help_text="What the codes are for.")
    is_shared = models.BooleanField(default=False, help_text="The one that a drop's file names.")
    consumer_id = models.CharField(max_length=40, db_collation="C", blank=True, editable=False)
    max_uses = models.PositiveIntegerField(null=True, blank=True)
    uses = models.PositiveIntegerField(default=0, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            # Finding a code by what somebody typed; two codes alike would be one.
            models.UniqueConstraint(fields=["sequence", "digest"], name="access_code_digest"),
            models.CheckConstraint(
                condition=models.Q(uses__lte=models.F("max_uses")), name="access_code_is_not_overused"
            ),
        ]
        indexes = [
            # What was made for somebody who is erased.
            models.Index(
                fields=["consumer_id"], name="access_code_consumer", condition=~models.Q(consumer_id="")
            )
        ]

    def __str__(self) -> str:
        return f"…{self.hint}"


class AudienceMember(models.Model):
    """Somebody on a sequence's list: `email:ada@example.com`, `phone:+4930901820` or `external:4711`."""

    id = models.BigAutoField(primary_key=True)
    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="audience", db_index=False)
    key = models.CharField(max_length=340, db_collation="C")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sequence", "key"], name="audience_member")]
        indexes = [models.Index(fields=["key"], name="audience_member_key")]  # erasing somebody everywhere

    def __str__(self) -> str:
        return self.key


class Event(models.Model):
    """One row of the trace, written in the transaction of what it tells; never changed, never deleted
    (a trigger refuses both).

    `actor` is `consumer:<id>`, `key:<id>`, `staff:<user id>` or `system:<task>`. `data` holds the state
    before and after. No foreign keys: the trace outlives what it tells of.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    name = models.CharField(max_length=64)
    organization_id = models.CharField(max_length=40, db_collation="C")
    distribution_id = models.CharField(max_length=40, db_collation="C", null=True)
    consumer_id = models.CharField(max_length=40, db_collation="C", null=True)
    actor = models.CharField(max_length=80)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [
            # The trace of one distribution, of one consumer, and of the last minutes (reconciliation).
            models.Index(fields=["distribution_id", "id"], name="event_distribution"),
            models.Index(fields=["consumer_id", "id"], name="event_consumer"),
            BrinIndex(fields=["at"], name="event_at", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.at:%Y-%m-%d %H:%M:%S}"
