"""A waitlist's own settings (its capacity is `tally.places`), and whom it told what.

A `Notification` is what staff, or the offers, decided once; a `Notice` is that one entry was told of it. Once
is a constraint here, so that however often the task runs, nobody is told twice.
"""

from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from distributions.core.models import Distribution, Participation
from experiences.models import AccessCode, Sequence
from fanfare import clock


class Mode(models.TextChoices):
    """What becomes of those who wait."""

    NOTIFY = "notify", "Notify: staff say when there is news"
    OFFER = "offer", "Offer: what comes free is offered to one after the other"


class Waitlist(models.Model):
    """Settings of a waitlist: in order, and told when there is something for them; it lets nobody in."""

    distribution = models.OneToOneField(
        Distribution, models.CASCADE, primary_key=True, related_name="waitlist"
    )
    mode = models.CharField(max_length=6, choices=Mode.choices, default=Mode.NOTIFY)
    offer_sequence = models.ForeignKey(
        Sequence, models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="Free places behind this sequence are offered, each with a code for one consumer. From "
        "then on it asks for an access code.",
    )  # fmt: skip
    offer_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="So long an offer lasts; then it goes to the next."
    )
    history = HistoricalRecords()

    class Meta:
        constraints = [
            # Two that offer the same places would each offer all of them.
            models.UniqueConstraint(
                fields=["offer_sequence"],
                name="one_offering_waitlist",
                condition=Q(mode="offer"),
                violation_error_message="Another waitlist offers what is behind that sequence.",
            ),
            models.CheckConstraint(
                condition=~Q(mode="offer") | Q(offer_seconds__isnull=False), name="offers_last_some_time"
            ),
        ]

    def __str__(self) -> str:
        return str(self.distribution)


class Notification(models.Model):
    """Something to tell those who wait: everyone, the next `limit`, or those whose entry's metadata has a
    name with a value (compared as text).

    Meant are the places up to `through`, the last one when it was made; those up to `reached` are done.
    With a `sequence`, each gets a code of their own for it, good for `code_seconds`.
    """

    id = models.BigAutoField(primary_key=True)
    distribution = models.ForeignKey(Distribution, models.CASCADE, related_name="notifications")
    text = models.TextField(max_length=1000)
    limit = models.PositiveIntegerField(null=True)
    metadata_name = models.CharField(max_length=100, blank=True)
    metadata_value = models.CharField(max_length=200, blank=True)
    sequence = models.ForeignKey(Sequence, models.SET_NULL, null=True, related_name="+")
    code_seconds = models.PositiveIntegerField(null=True)
    is_offer = models.BooleanField(default=False)  # of places that came free
    created_at = models.DateTimeField(default=clock.now)
    actor = models.CharField(max_length=80)
    through = models.PositiveBigIntegerField()
    reached = models.PositiveBigIntegerField(default=0)
    notified = models.PositiveBigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(limit__isnull=True) | Q(notified__lte=F("limit")),
                name="notified_no_more_than_said",
            )
        ]
        indexes = [
            # Those that are under way.
            models.Index(fields=["id"], name="notification_unfinished", condition=Q(finished_at=None))
        ]

    def __str__(self) -> str:
        return f"No. {self.pk}"


class Outcome(models.TextChoices):
    """What became of a place that was offered; empty where none was."""

    OPEN = "open", "Open"
    CLAIMED = "claimed", "Claimed"
    LAPSED = "lapsed", "Lapsed"


class Notice(models.Model):
    """One entry was told of one notification; `expires_at` is the end of its code."""

    id = models.BigAutoField(primary_key=True)
    notification = models.ForeignKey(Notification, models.CASCADE, related_name="notices", db_index=False)
    participation = models.ForeignKey(Participation, models.CASCADE, related_name="notices")
    created_at = models.DateTimeField(default=clock.now)
    access_code = models.ForeignKey(AccessCode, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=7, choices=Outcome.choices, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notification", "participation"], name="one_notice"),
            models.UniqueConstraint(
                fields=["participation"], name="one_open_offer", condition=Q(outcome="open")
            ),
        ]

    def __str__(self) -> str:
        return str(self.participation)
