"""`/timed-releases/…`: the endpoints of the contract."""

from types import ModuleType
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from distributions.core import api
from distributions.core.api import Complete, Deny, Enter, Leave, Validate
from distributions.core.models import Kind, Status
from distributions.core.standing import Standing
from distributions.core.work_api import Challenge
from distributions.timed_releases import rules, shape
from fanfare.api import FOR_A_SECOND
from fanfare.schema import describes


class TimedReleaseViewSet(Enter, Leave, api.Status, Complete, Deny, Validate, Challenge):
    """Units for whoever comes in time."""

    kind = Kind.TIMED_RELEASE
    prefix = "release"
    rules: ClassVar[ModuleType] = rules
    status_serializer = shape.TimedReleaseStatusSerializer
    without_fingerprint = ("enter",)
    rate_categories: ClassVar[dict[str, str]] = {"enter": "queueEntry", "status": "statusCheck"}

    @describes(shape.TimedReleaseSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """The timed release itself, as anyone may see it."""
        return Response(shape.present_release(self.distribution, self.now), headers=FOR_A_SECOND)

    def may_be_followed(self, standing: Standing) -> bool:
        """Also a completed one, where one may have several units."""
        has_more = self.distribution.timed_release.max_per_consumer > 1
        return standing.may_enter_again or (has_more and standing.status == Status.COMPLETED)

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        return shape.present_standing(self.distribution, standing, self.now)
