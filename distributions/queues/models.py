"""A queue's own settings: how fast, how many at once, how many in all, and its pre-queue."""

from django.db import models
from simple_history.models import HistoricalRecords

from distributions.core.models import Distribution


class Queue(models.Model):
    """Settings of a virtual queue. Its capacity (people in line) is `tally.places`.

    `paced_until` is the instant up to which the rate has been paid out; written under this row's lock. A
    pre-queue whose order is drawn has a Drawing.
    """

    distribution = models.OneToOneField(Distribution, models.CASCADE, primary_key=True, related_name="queue")
    admission_rate = models.PositiveIntegerField(
        null=True, blank=True, help_text="Consumers a minute; empty: by hand only."
    )
    max_active = models.PositiveIntegerField(
        null=True, blank=True, help_text="Admitted and not yet done, at once; empty: any number."
    )
    max_admissions = models.PositiveIntegerField(
        null=True, blank=True, help_text="In all; when they are used up, the queue closes."
    )
    session_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="How long an admission lasts, in seconds; empty: without end.",
    )
    enter_from = models.DateTimeField(null=True, blank=True, help_text="Pre-queue: entering from then on.")
    randomize_before_open = models.BooleanField(
        default=False, help_text="Draw the order of all who entered before opening."
    )
    recycle_expired = models.BooleanField(
        default=True, help_text="An admission that was not used goes to the next in line."
    )
    paced_until = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords(excluded_fields=["paced_until"])

    def __str__(self) -> str:
        return str(self.distribution)
