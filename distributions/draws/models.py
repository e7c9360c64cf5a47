"""A draw's own settings: when, how many winners, and what becomes of places that are not claimed."""

from django.core.validators import MinValueValidator
from django.db import models
from simple_history.models import HistoricalRecords

from distributions.core.models import Distribution
from distributions.core.selection import MOST_WEIGHT
from distributions.draws import validation


class Draw(models.Model):
    """Settings of a draw. Its capacity (entries) is `tally.places`; seed, list and order are its Drawing.

    `offered` is how far down the drawn order places were offered, `passed_over` who of those had been
    removed after the freeze, `fell_through` how far down losers went on; written under the Drawing's lock.
    """

    distribution = models.OneToOneField(Distribution, models.CASCADE, primary_key=True, related_name="draw")
    draw_at = models.DateTimeField(help_text="Entries close then at the latest.")
    winner_count = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    claim_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long a winner may claim the place, in seconds; empty: no limit."
    )
    alternates = models.BooleanField(
        default=True,
        help_text="A place that is not claimed in time goes to the next in the drawn order. Until all are "
        "claimed, or the draw ends, whoever did not win waits as an alternate.",
    )
    end_at = models.DateTimeField(
        null=True, blank=True, help_text="Places are passed on until then; empty: until nobody is left."
    )
    weights = models.JSONField(
        default=list,
        blank=True,
        validators=[validation.weights],
        help_text='Declared bias: [{"sequence": "members", "weight": 3}] gives whoever meets that sequence’s '
        "conditions three tickets. The highest weight counts; 1 unless said.",
    )
    beacon = models.JSONField(
        null=True,
        blank=True,
        validators=[validation.beacon],
        help_text='{"source": "drand"} draws with the value of a public beacon that nobody knows before '
        "entries close; chain and round are filled in.",
    )
    fall_through = models.ForeignKey(
        Distribution,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="fed_by",
        help_text="A queue of the same experience that losers enter by themselves, in the drawn order.",
    )
    offered = models.PositiveBigIntegerField(default=0, editable=False)
    passed_over = models.JSONField(default=list, editable=False)
    fell_through = models.PositiveBigIntegerField(default=0, editable=False)
    beacon_tried_at = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords(excluded_fields=["offered", "passed_over", "fell_through", "beacon_tried_at"])

    def __str__(self) -> str:
        return str(self.distribution)


class EntryWeight(models.Model):
    """The weight of an entry that has more than one ticket, as it was when the consumer entered."""

    distribution = models.ForeignKey(
        Distribution, models.CASCADE, related_name="entry_weights", db_index=False
    )
    number = models.PositiveBigIntegerField()
    weight = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["distribution", "number"], name="one_weight"),
            models.CheckConstraint(
                condition=models.Q(weight__range=(2, MOST_WEIGHT)), name="weight_in_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.weight}"
