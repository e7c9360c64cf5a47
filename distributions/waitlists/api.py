"""`/waitlists/…`: the endpoints of the contract."""

from types import ModuleType
from typing import Any, ClassVar

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from distributions.core import bodies, lifecycle
from distributions.core.api import Enter
from distributions.core.models import Kind, Status
from distributions.core.standing import Standing
from distributions.core.status import present
from distributions.core.work_api import Challenge
from distributions.waitlists import rules, shape
from fanfare import errors
from fanfare.api import FOR_A_SECOND
from fanfare.schema import describes


class WaitlistViewSet(Enter, Challenge):
    """Who wants to know when there is something for them."""

    kind = Kind.WAITLIST
    prefix = "wl"
    rules: ClassVar[ModuleType] = rules
    status_serializer = shape.EntrySerializer
    without_fingerprint = ("enter",)
    rate_categories: ClassVar[dict[str, str]] = {"enter": "queueEntry", "status": "statusCheck"}

    @describes(shape.WaitlistSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """The waitlist itself, as anyone may see it."""
        return Response(shape.present_waitlist(self.distribution, self.now), headers=FOR_A_SECOND)

    @describes(shape.WaitlistStatusSerializer)
    @action(detail=True, methods=["get"])
    def status(self, request: Request, id: str) -> Response:
        """Whether the consumer waits here, and when they were told something last."""
        standing = self.gate.standing
        if standing is None or self.may_be_followed(standing):
            standing = self._stored()
        if standing is None or standing.status != Status.QUEUED:
            return Response(shape.present_nobody(self.distribution, standing))
        extra = shape.present_standing(self.distribution, standing, self.now)
        return Response(present(self.distribution, standing, **extra))

    def _stored(self) -> Standing | None:
        """PostgreSQL's word, which Redis then has too; None: they never entered."""
        try:
            found = lifecycle.latest(self.distribution, self.consumer_id)
        except errors.NotEntered:
            return None
        return lifecycle.republish(self.distribution, found)

    @describes(shape.LeftEntrySerializer, refusals=bodies.refused_leaves)
    @action(detail=True, methods=["delete"])
    def leave(self, request: Request, id: str) -> Response:
        """Wait no more."""
        standing = rules.leave(self.distribution, self.consumer_id, now=self.now, actor=self.credential.actor)
        extra = shape.present_standing(self.distribution, standing, self.now)
        return Response(present(self.distribution, standing, **extra))

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        """With what names the entry."""
        named = {
            "id": shape.entry_id(self.distribution, standing),
            "sequence_id": self.distribution.sequence_id,
        }
        return named | shape.present_standing(self.distribution, standing, self.now)
