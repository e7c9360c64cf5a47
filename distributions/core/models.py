"""The spine that all kinds share: what is distributed, how many places there are, who takes part.

Invariants 2, 4 and 8 stand here as constraints. Only `lifecycle` (through `statements`) writes a
participation's status. A kind's own settings are a one-to-one table in its package.
"""

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from experiences import validation
from experiences.models import Organization, Sequence
from fanfare import clock
from fanfare.fields import IdField, SlugField


class Kind(models.TextChoices):
    """The kinds of distribution; the label is what a message calls one."""

    QUEUE = "queue", "Queue"
    DRAW = "draw", "Draw"
    AUCTION = "auction", "Auction"
    TIMED_RELEASE = "timed_release", "Timed release"
    APPOINTMENT = "appointment", "Appointment"
    WAITLIST = "waitlist", "Waitlist"


# What ids begin with.
ID_PREFIXES: dict[Kind, str] = {
    Kind.QUEUE: "queue",
    Kind.DRAW: "draw",
    Kind.AUCTION: "auction",
    Kind.TIMED_RELEASE: "release",
    Kind.APPOINTMENT: "appt",
    Kind.WAITLIST: "wl",
}


class Status(models.TextChoices):
    """The five states of a participation, as the API names them."""

    QUEUED = "QUEUED", "Queued"
    ADMITTED = "ADMITTED", "Admitted"
    COMPLETED = "COMPLETED", "Completed"
    DENIED = "DENIED", "Denied"
    LEFT = "LEFT", "Left"


# From where each state may be reached; expiry is a DENIED with its reason.
MOVES: dict[Status, tuple[Status, ...]] = {
    Status.ADMITTED: (Status.QUEUED,),
    Status.COMPLETED: (Status.ADMITTED,),
    Status.DENIED: (Status.QUEUED, Status.ADMITTED),
    Status.LEFT: (Status.QUEUED, Status.ADMITTED),
}
LIVE = (Status.QUEUED, Status.ADMITTED)
# The states in which a participation holds one of its kind's places.
HOLDING: dict[Kind, tuple[Status, ...]] = {
    Kind.QUEUE: (Status.QUEUED,),
    Kind.DRAW: (Status.QUEUED,),
    Kind.AUCTION: (Status.QUEUED,),
    Kind.TIMED_RELEASE: (Status.ADMITTED, Status.COMPLETED),
    Kind.APPOINTMENT: (Status.ADMITTED, Status.COMPLETED),
    Kind.WAITLIST: (Status.QUEUED,),
}
# What the trace calls a move, where the kind has its own word for it; EXPIRED is a denial by the clock.
ENTERED, EXPIRED = "entered", "expired"
WORDS: dict[tuple[Kind, str], str] = {
    (Kind.DRAW, Status.ADMITTED): "won",
    (Kind.AUCTION, Status.ADMITTED): "won",
    (Kind.TIMED_RELEASE, EXPIRED): "expired",
    (Kind.APPOINTMENT, ENTERED): "booked",
    (Kind.APPOINTMENT, Status.LEFT): "cancelled",
}


def event_of(kind: Kind, move: str) -> str:
    """The name of an event that tells of a participation: entered, a status it moved to, or its expiry."""
    plain = Status.DENIED if move == EXPIRED else move
    word = WORDS.get((kind, move), plain.lower())
    return f"{kind}.{word}" if kind == Kind.APPOINTMENT else f"{kind}.consumer.{word}"


# After one of these a consumer may enter again, and then has two; any other is the one that counts.
OVER_FOR_NOW = Q(status="LEFT") | Q(status="DENIED", deny_reason="ADMISSION_EXPIRED")


class Reason(models.TextChoices):
    """Why somebody was denied; a shop may say its own instead."""

    ADMISSION_EXPIRED = "ADMISSION_EXPIRED"
    QUEUE_CLOSED = "QUEUE_CLOSED"
    DRAW_CLOSED = "DRAW_CLOSED"
    NOT_SELECTED = "NOT_SELECTED"
    OUTBID = "OUTBID"
    RESERVE_NOT_MET = "RESERVE_NOT_MET"
    DEVICE_LIMIT = "DEVICE_LIMIT"
    ADMIN_ACTION = "ADMIN_ACTION"


# The codes that the contract knows. Anything else is somebody's own words, and may speak of a person.
REASONS = frozenset(
    [
        *Reason.values,
        "ORDER_LIMIT_EXCEEDED",
        "NOT_ELIGIBLE",
        "FRAUD_DETECTED",
    ]
)


class Distribution(models.Model):
    """What a sequence ends in: who gets in, when and in which order.

    Open and closed are derived from the times (`phases`); stored is only what somebody decided or what
    happened once: paused, opened, closed.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="distributions")
    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="distributions")
    kind = models.CharField(max_length=16, choices=Kind.choices, editable=False)
    slug = SlugField()
    name = models.CharField(max_length=200)
    open_at = models.DateTimeField(null=True, blank=True, help_text="Empty: open from the start.")
    close_at = models.DateTimeField(null=True, blank=True, help_text="Empty: open until closed by hand.")
    time_zone = models.CharField(max_length=64, blank=True, validators=[validation.time_zone])
    supports_guest = models.BooleanField(default=True)
    max_entries_per_fingerprint = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="How many consumers may enter from one device; empty: any number.",
    )
    proof_of_work = models.PositiveSmallIntegerField(
        default=0,
        help_text="What entering costs a device in computing time, 1 to 50; 0: nothing. A price and no wall: "
        "bots that pay it come in.",
    )
    metadata = models.JSONField(default=dict, blank=True)
    message = models.CharField(
        max_length=280, blank=True, default="", db_default="", help_text="To those who wait or are inside."
    )
    paused_at = models.DateTimeField(null=True, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    history = HistoricalRecords(excluded_fields=["opened_at"])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sequence", "kind", "slug"], name="distribution_slug"),
            models.UniqueConstraint(
                fields=["sequence"],
                name="one_waitlist",
                condition=Q(kind="waitlist"),
                violation_error_message="A sequence has one waitlist at most.",
            ),
            models.CheckConstraint(
                condition=Q(close_at__gt=F("open_at")), name="distribution_closes_after_opening"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """What messages call it: `Queue`."""
        return str(Kind(self.kind).label)

    @property
    def zone(self) -> str:
        """The name of its time zone: its own, or the next one above."""
        zones = (self.time_zone, self.sequence.experience.time_zone)
        return next(filter(None, zones), self.organization.time_zone)


class Tally(models.Model):
    """The hot counters of a distribution, narrow so that counting never rewrites settings.

    The limit stands on the row of its counter, so that one guarded UPDATE decides (invariant 4). Its
    lock is held until the entry commits, so the order of places is the order of commits (7, 8).
    """

    distribution = models.OneToOneField(Distribution, models.CASCADE, primary_key=True, related_name="tally")
    places = models.PositiveBigIntegerField(null=True, blank=True)  # limit of `taken`; null: none
    taken = models.PositiveBigIntegerField(default=0)
    entered = models.PositiveBigIntegerField(default=0)  # the last place that was given
    frozen = models.PositiveBigIntegerField(null=True)  # places given before the list was frozen
    admitted = models.PositiveBigIntegerField(default=0)  # ever
    completed = models.PositiveBigIntegerField(default=0)
    returned = models.PositiveBigIntegerField(default=0)  # admissions not used: expired, left, denied
    is_closed = models.BooleanField(default=False)  # no entry commits after this one is set

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.taken} of {self.places or 'any number'}"

    @property
    def inside(self) -> int:
        """Admitted and not yet done; an admission past its end counts until it is swept."""
        return self.admitted - self.completed - self.returned


class Participation(models.Model):
    """One consumer's one attempt at one distribution. Millions of rows; see the indexes' reasons.

    `place` is the number given at entry, in order; `fingerprint` a keyed hash of the device's; `is_risky`
    is raised when another device shows up for it.
    """

    id = models.BigAutoField(primary_key=True)
    distribution = models.ForeignKey(
        Distribution, models.CASCADE, related_name="participations", db_index=False
    )
    consumer = models.ForeignKey(
        "consumers.Consumer", models.CASCADE, related_name="participations", db_index=False
    )
    status = models.CharField(max_length=9, choices=Status.choices)
    place = models.PositiveBigIntegerField(null=True)
    unit = models.PositiveSmallIntegerField(
        default=1, db_default=1
    )  # which of those that one consumer may have
    entered_at = models.DateTimeField()
    admitted_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    deny_reason = models.CharField(max_length=200, blank=True)
    order_id = models.CharField(max_length=200, blank=True)
    fingerprint = models.BinaryField(max_length=16, null=True)
    is_risky = models.BooleanField(default=False)
    metadata = models.JSONField(null=True)

    class Meta:
        constraints = [
            # Invariant 2: one participation of a consumer, but for those that let them enter again. Where one
            # may have several units, each is one: a further one begins when the last is completed.
            models.UniqueConstraint(
                fields=["distribution", "consumer", "unit"],
                name="one_participation",
                condition=~Q(status="LEFT") & ~Q(status="DENIED", deny_reason="ADMISSION_EXPIRED"),
            ),
            # The line itself, in order: admitting, counting and rebuilding read it.
            models.UniqueConstraint(
                fields=["distribution", "place"], name="line", condition=Q(status="QUEUED")
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="participation_status"),
            models.CheckConstraint(
                condition=Q(admitted_at__isnull=False) | ~Q(status__in=["ADMITTED", "COMPLETED"]),
                name="admitted_has_its_time",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, status__in=["QUEUED", "ADMITTED"])
                | Q(ended_at__isnull=False, status__in=["COMPLETED", "DENIED", "LEFT"]),
                name="ended_has_its_time",
            ),
        ]
        indexes = [
            # A consumer's participations: theirs in one distribution, and all of them.
            models.Index(fields=["consumer", "distribution"], name="participation_consumer"),
            # Admissions of the last minute (invariant 9).
            models.Index(
                fields=["distribution", "admitted_at"],
                name="participation_admitted",
                condition=Q(admitted_at__isnull=False),
            ),
            # Who is inside, and whose admission is over.
            models.Index(
                fields=["expires_at", "distribution"],
                name="participation_inside",
                condition=Q(status="ADMITTED"),
            ),
            # Which numbers have no entry any more, when a list is frozen.
            models.Index(
                fields=["distribution", "place"],
                name="participation_removed",
                condition=Q(status__in=["LEFT", "DENIED"]),
            ),
            # How many used one device.
            models.Index(
                fields=["distribution", "fingerprint"],
                name="participation_fingerprint",
                condition=Q(fingerprint__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.consumer_id


class Drawing(models.Model):
    """A drawing by lot that anyone can repeat: a draw's, or that of a pre-queue (see `selection`).

    Made with its distribution; then the list is frozen, once, and drawn, once (invariants 11, 12).
    The seed is sealed until it is drawn with, so that a copy of the database foretells nothing; then it is
    public. `salt` makes the entry ids of receipts and is never shown.
    """

    distribution = models.OneToOneField(
        Distribution, models.CASCADE, primary_key=True, related_name="drawing"
    )
    seed_box = models.BinaryField(editable=False)
    seed = models.BinaryField(max_length=32, null=True, editable=False)
    commitment = models.CharField(max_length=64, editable=False)
    salt = models.BinaryField(max_length=32, editable=False)
    frozen_at = models.DateTimeField(null=True, editable=False)
    frozen_by = models.CharField(max_length=100, blank=True, editable=False)  # the actor
    root = models.CharField(max_length=64, blank=True, editable=False)
    numbers = models.PositiveBigIntegerField(default=0, editable=False)  # given; some were removed
    entries = models.PositiveBigIntegerField(default=0, editable=False)  # in the frozen list
    winner_count = models.PositiveBigIntegerField(default=0, editable=False)  # as it was when frozen
    removed = models.JSONField(default=dict, editable=False)  # how many before the freeze, by reason
    groups = models.JSONField(default=list, editable=False)  # weight, entries and odds of each
    beacon_signature = models.CharField(max_length=192, blank=True, editable=False)  # hexadecimal
    key = models.CharField(max_length=64, blank=True, editable=False)
    drawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(frozen_at__isnull=True, root="") | Q(frozen_at__isnull=False) & ~Q(root=""),
                name="frozen_has_its_root",
            ),
            models.CheckConstraint(
                condition=Q(drawn_at__isnull=True) | ~Q(root="") & ~Q(key=""), name="drawn_after_the_freeze"
            ),
        ]

    def __str__(self) -> str:
        return self.commitment


class FrozenList(models.Model):
    """The entries of a drawing, apart from it since it may be megabytes.

    `weights` as `selection` has it, one byte a number; `order` the numbers as far as they were put in the
    drawn order, four bytes each, the highest first.
    """

    drawing = models.OneToOneField(Drawing, models.CASCADE, primary_key=True, related_name="frozen_list")
    weights = models.BinaryField(editable=False)
    order = models.BinaryField(default=b"", editable=False)

    def __str__(self) -> str:
        return f"{len(bytes(self.weights)):,} numbers"
