"""An auction's settings and state, who bids for how much, and every bid as it was decided.

All amounts are minor units of the auction's currency. What is derived (prices, who is winning) follows
from the bidders by `book`, and is kept beside the settings so that it can be read at once; each
transaction that changes bidders holds the auction's row and writes it anew.
"""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from distributions.auctions import validation
from distributions.auctions.book import BidKind
from distributions.core.models import Distribution, Participation
from fanfare import clock
from fanfare.fields import IdField, MoneyField

STATE = (
    "announced_close_at", "extensions", "number", "bids", "bought", "high", "leader", "high_at", "low",
    "challenge", "cutoff", "cutoff_since", "chances", "settled_at", "cancelled_at",
)  # fmt: skip


class Auction(models.Model):
    """Settings of an auction, and how it stands; when it closes is `distribution.close_at`, as extended.

    `announced_close_at` is the closing that staff set last. `number` counts the bids that were decided,
    `bids` those that count, raises aside, `bought` the places sold at once. `leader` is the place of whose
    price is `high`. Whoever ranks with or above `cutoff`, `cutoff_since` is winning; `chances` is how many
    may still be offered a place.
    """

    distribution = models.OneToOneField(
        Distribution, models.CASCADE, primary_key=True, related_name="auction"
    )
    currency_code = models.CharField(
        max_length=3,
        validators=[validation.currency],
        help_text="ISO 4217; empty: the organization’s.",
        blank=True,
    )
    starting_price = MoneyField(help_text="The least first bid, such as 150.00.")
    minimum_bid_increment = MoneyField(help_text="By how much a bid must exceed the price.")
    increment_table = models.JSONField(
        default=list,
        blank=True,
        help_text='Larger steps at higher prices: [{"from": "1000.00", "increment": "50.00"}].',
    )
    reserve_price = MoneyField(
        null=True, blank=True, help_text="Below it nobody wins; empty: the best bid wins, whatever it is."
    )
    show_reserve = models.BooleanField(default=False, help_text="Whether consumers see the reserve.")
    buy_now_price = MoneyField(
        null=True,
        blank=True,
        help_text="Whoever bids as much has won at once, at this price, while bids are below it.",
    )
    winner_count = models.PositiveIntegerField(
        default=1,
        validators=[MinValueValidator(1)],
        help_text="How many win, the highest bidders, each at their own bid.",
    )
    extension_window_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="A bid within so many seconds before closing moves the closing; empty: none does.",
    )
    extension_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="To so many seconds after that bid."
    )
    max_extensions = models.PositiveIntegerField(
        null=True, blank=True, help_text="How often at most; empty: any number of times."
    )
    hard_end_at = models.DateTimeField(
        null=True, blank=True, help_text="No bid moves the closing beyond this; empty: without end."
    )
    settle_at = models.DateTimeField(
        null=True, blank=True, help_text="When winners are admitted; empty: at closing."
    )
    claim_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="How long a winner has to complete, in seconds; empty: no limit."
    )
    second_chance = models.BooleanField(
        default=False,
        help_text="A place that a winner does not complete is offered to the next bidder, at their own bid.",
    )

    announced_close_at = models.DateTimeField(null=True, editable=False)
    extensions = models.PositiveIntegerField(default=0, editable=False)
    number = models.PositiveBigIntegerField(default=0, editable=False)
    bids = models.PositiveBigIntegerField(default=0, editable=False)
    bought = models.PositiveIntegerField(default=0, editable=False)
    high = MoneyField(null=True, editable=False)
    leader = models.PositiveBigIntegerField(null=True, editable=False)
    high_at = models.DateTimeField(null=True, editable=False)
    low = MoneyField(null=True, editable=False)
    challenge = MoneyField(null=True, editable=False)
    cutoff = MoneyField(null=True, editable=False)
    cutoff_since = models.PositiveBigIntegerField(null=True, editable=False)
    chances = models.PositiveBigIntegerField(default=0, editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    history = HistoricalRecords(excluded_fields=list(STATE))

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(minimum_bid_increment__gte=1), name="increment_rises"),
            models.CheckConstraint(condition=Q(bought__lte=F("winner_count")), name="bought_within_winners"),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True) | Q(cancelled_at__isnull=True),
                name="settled_or_cancelled",
            ),
        ]

    def __str__(self) -> str:
        return str(self.distribution)


class Bidder(models.Model):
    """What one consumer's bids in an auction come to (see `book.Offer`); none of them counts: null.

    `bids` are those accepted and not void, the last one's amount and time beside it. `price` is what was to
    be paid when the bidder got a place.
    """

    participation = models.OneToOneField(
        Participation, models.CASCADE, primary_key=True, related_name="bidder"
    )
    auction = models.ForeignKey(Auction, models.CASCADE, related_name="bidders", db_index=False)
    maximum = MoneyField(null=True)
    since = models.PositiveBigIntegerField(null=True)
    amount = MoneyField(null=True)
    bids = models.PositiveIntegerField(default=0)
    last_amount = MoneyField(null=True)
    last_at = models.DateTimeField(null=True)
    price = MoneyField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(maximum__isnull=True, since__isnull=True, amount__isnull=True)
                | Q(maximum__gte=F("amount"), since__isnull=False, amount__isnull=False),
                name="offer_is_whole",
            )
        ]
        indexes = [
            # The best of them, in order: who is winning, and whom the next one is against.
            models.Index(
                "auction", F("maximum").desc(), "since", name="bidder_rank",
                condition=Q(maximum__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"Bidder {self.participation_id}"


class Bid(models.Model):
    """One bid as it was decided, in the order of `number`; nothing of it changes but that it may be voided.

    `refusal` is empty where it was accepted. `max_amount` is the proxy's limit, which is shown to nobody
    before the auction is settled. `high_after` and `closes_at` are price and closing as the bid left them.
    """

    id = IdField("bid")
    auction = models.ForeignKey(Auction, models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveBigIntegerField()
    consumer = models.ForeignKey("consumers.Consumer", models.CASCADE, related_name="bids", db_index=False)
    participation = models.ForeignKey(Participation, models.CASCADE, null=True, related_name="bids_made")
    at = models.DateTimeField(default=clock.now)
    kind = models.CharField(max_length=7, choices=[(kind.value, kind.title()) for kind in BidKind])
    amount = MoneyField()
    max_amount = MoneyField(null=True)
    refusal = models.CharField(max_length=32, blank=True)
    high_after = MoneyField(null=True)
    closes_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    void_reason = models.CharField(max_length=200, blank=True)
    idempotency_key = models.BinaryField(max_length=16, null=True, editable=False)
    answer = models.JSONField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["auction", "number"], name="bid_number"),
            models.UniqueConstraint(
                fields=["consumer", "auction", "idempotency_key"],
                name="one_bid_a_key",
                condition=Q(idempotency_key__isnull=False),
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="bid_has_an_amount"),
        ]
        indexes = [
            # A consumer's own bids, newest first.
            models.Index(fields=["consumer", "auction", "-number"], name="bid_of_consumer"),
        ]

    def __str__(self) -> str:
        return self.id
