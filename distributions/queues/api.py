"""`/queues/…`: the eight endpoints of the contract, and a pre-queue's proof."""

from types import ModuleType
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from distributions.core.api import (
    Admit,
    Complete,
    Deny,
    Enter,
    Leave,
    Status,
    Validate,
)
from distributions.core.models import Distribution, Kind
from distributions.core.proof_api import Proof
from distributions.core.standing import Standing
from distributions.core.work_api import Challenge
from distributions.queues import rules, shape
from fanfare.api import FOR_A_SECOND
from fanfare.schema import describes


class QueueViewSet(Enter, Leave, Status, Admit, Complete, Deny, Validate, Proof, Challenge):
    """A virtual queue."""

    kind = Kind.QUEUE
    prefix = "queue"
    rules: ClassVar[ModuleType] = rules
    shape: ClassVar[ModuleType] = shape
    status_serializer = shape.QueueStatusSerializer
    rate_categories: ClassVar[dict[str, str]] = {"enter": "queueEntry", "status": "statusCheck"}

    @describes(shape.QueueSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """The queue itself, as anyone may see it."""
        body = shape.present_queue(self.distribution, self.now)
        return Response(body, headers=FOR_A_SECOND)

    def _load(self, distribution_id: str) -> Distribution:
        return rules.current(super()._load(distribution_id), self.now)

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        return shape.present_standing(self.distribution, standing, self.now)
