"""Why somebody was denied, in words; a code that is not here is the shop's own text."""

from django.utils.translation import gettext_lazy as _

REASONS = {
    "ADMISSION_EXPIRED": _("Your time ran out before the purchase was finished."),
    "QUEUE_CLOSED": _("Everything was gone, or the line closed, before it was your turn."),
    "DRAW_CLOSED": _("The draw was closed before it was drawn."),
    "NOT_SELECTED": _("The draw fell on others this time."),
    "OUTBID": _("Others bid more."),
    "RESERVE_NOT_MET": _("The bids did not reach the least price that the seller takes."),
    "ORDER_LIMIT_EXCEEDED": _("You already have as many as one person may have."),
    "DEVICE_LIMIT": _("As many people as may come in with one device already did so with this one."),
    "NOT_ELIGIBLE": _("This is for people on a list, and you are not on it."),
    "FRAUD_DETECTED": _("Your entry looked like an automated one."),
    "ADMIN_ACTION": _("The organizer has removed your entry."),
}
