"""`/draws/…`: the seven endpoints of the contract, and the proof."""

from types import ModuleType
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from distributions.core import catalog
from distributions.core.api import Complete, Deny, Enter, Leave, Status, Validate
from distributions.core.models import Kind
from distributions.core.proof_api import Proof
from distributions.core.standing import Standing
from distributions.core.work_api import Challenge
from distributions.draws import rules, shape
from fanfare.api import FOR_A_SECOND
from fanfare.schema import describes


class DrawViewSet(Enter, Leave, Status, Complete, Deny, Validate, Proof, Challenge):
    """A draw that anyone can check."""

    kind = Kind.DRAW
    prefix = "draw"
    rules: ClassVar[ModuleType] = rules
    shape: ClassVar[ModuleType] = shape
    status_serializer = shape.DrawStatusSerializer
    rate_categories: ClassVar[dict[str, str]] = {"enter": "drawEntry", "status": "statusCheck"}

    @describes(shape.DrawSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """The draw itself, as anyone may see it."""
        return Response(shape.present_draw(self.distribution, self.now), headers=FOR_A_SECOND)

    def answer(self, standing: Standing, *, with_token: bool = True) -> Response:
        """As for every kind; but what a receipt says is final from the first entry on, and what is remembered
        of a draw that nobody had entered may be older.
        """
        if standing.place is not None and not self.distribution.tally.entered:
            self.distribution = catalog.renew(self.distribution)
        return super().answer(standing, with_token=with_token)

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        return shape.present_standing(self.distribution, standing, self.now)
