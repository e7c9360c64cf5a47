"""The base of every view: one instant per request, and a body read by a serializer or refused."""

import datetime as dt
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from fanfare import clock


class ApiViewSet(ViewSet):
    """A viewset with `now`, the instant at which the request is taken to happen."""

    now: dt.datetime

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.now = clock.now()
        super().initial(request, *args, **kwargs)


def parse(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body's fields as the serializer describes them. Raises a ValidationError."""
    parsed = serializer(data=request.data)
    parsed.is_valid(raise_exception=True)
    return dict(parsed.validated_data)
