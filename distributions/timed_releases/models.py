"""A timed release's own settings; its inventory is `tally.places`."""

from django.core.validators import MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from distributions.core.models import Distribution


class TimedRelease(models.Model):
    """Settings of a timed release: units that whoever comes while it is open may claim at once."""

    distribution = models.OneToOneField(
        Distribution, models.CASCADE, primary_key=True, related_name="timed_release"
    )
    claim_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="After so many seconds a unit that is not completed comes back; empty: never.",
    )
    max_per_consumer = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1)],
        help_text="How many one consumer may have, one after the other.",
    )
    history = HistoricalRecords()

    def __str__(self) -> str:
        return str(self.distribution)
