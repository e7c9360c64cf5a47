"""`GET …/challenge` of every kind: the proof of work that entering may cost."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from distributions.core import bodies, work
from distributions.core.api import DistributionViewSet
from fanfare import throttling
from fanfare.schema import describes

CHALLENGES = "30/m"  # of one consumer


class ParametersSerializer(serializers.Serializer[Any]):
    """What is to be found: a counter for which PBKDF2 of `nonce` and counter, `cost` rounds long, begins with
    `keyPrefix`.
    """

    algorithm = serializers.ChoiceField([work.ALGORITHM])
    cost = serializers.IntegerField()
    key_length = serializers.IntegerField()
    key_prefix = serializers.CharField()
    nonce = serializers.CharField()
    salt = serializers.CharField()
    expires_at = serializers.IntegerField(help_text="Unix seconds.")
    data = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]


class ChallengeSerializer(serializers.Serializer[Any]):
    """A challenge as altcha's widget and libraries take it; their payload goes into `X-Altcha`."""

    parameters = ParametersSerializer()
    signature = serializers.CharField()


class Challenge(DistributionViewSet):
    """`GET …/challenge`."""

    @describes(ChallengeSerializer, refusals=bodies.refused_challenges)
    @action(detail=True, methods=["get"])
    def challenge(self, request: Request, id: str) -> Response:
        """A proof of work to be sent along with entering, for this consumer and once."""
        throttling.require(request._request, "challenges", self.consumer_id, CHALLENGES)
        # The names within are altcha's own.
        return Response(work.challenge(self.distribution, self.consumer_id, now=self.now))
