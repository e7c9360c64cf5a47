"""`/queues/…`: all eight endpoints of the contract."""

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
from distributions.core.models import Kind
from distributions.core.standing import Standing
from distributions.queues import rules, shape


class QueueViewSet(Enter, Leave, Status, Admit, Complete, Deny, Validate):
    """A virtual queue."""

    kind = Kind.QUEUE
    prefix = "queue"
    rules: ClassVar[ModuleType] = rules
    rate_categories: ClassVar[dict[str, str]] = {"enter": "queueEntry", "status": "statusCheck"}

    def retrieve(self, request: Request, id: str) -> Response:
        """The queue itself, as anyone may see it."""
        body = shape.present_queue(self.distribution, self.now)
        return Response(body, headers={"Cache-Control": "public, max-age=1"})

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        return shape.present_standing(self.distribution, standing, self.now)
