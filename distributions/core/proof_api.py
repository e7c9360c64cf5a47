"""`GET …/proof` of the kinds that draw by lot: in pages, or as one file."""

from types import ModuleType
from typing import Any, ClassVar

from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from distributions.core import bodies, proofs
from distributions.core.api import DistributionViewSet
from distributions.core.models import Distribution
from distributions.core.shape import ProofSerializer
from fanfare import http, staff, throttling
from fanfare.api import FOR_A_SECOND
from fanfare.schema import describes

PAGES, FILES = "120/m", "10/m"  # of one network address
_LIMIT = OpenApiParameter(
    "limit", int, description=f"Entries, and winners with alternates, in a page: 1 to {proofs.MOST}."
)
_CURSOR = OpenApiParameter("cursor", str, description="`nextCursor` of the page before.")


class PageSerializer(serializers.Serializer[Any]):
    """Which page of the entries; `cursor` is the number that it begins with."""

    limit = serializers.IntegerField(min_value=1, max_value=proofs.MOST, default=proofs.PAGE)
    cursor = serializers.IntegerField(min_value=1, max_value=2**40, default=1)


class Proof(DistributionViewSet):
    """`GET …/proof` and `GET …/proof/file`."""

    shape: ClassVar[ModuleType]

    @describes(ProofSerializer, _LIMIT, _CURSOR, refusals=bodies.refused_proofs)
    @action(detail=True, methods=["get"])
    def proof(self, request: Request, id: str) -> Response:
        """All that it takes to repeat the drawing: what is known by now, with a page of the entries."""
        self._require_few("proof", PAGES)
        page = PageSerializer(data=request.query_params.dict())
        page.is_valid(raise_exception=True)
        first, most = page.validated_data["cursor"], page.validated_data["limit"]
        body = self.shape.present_proof(self.distribution)
        if first == 1:
            body |= self.shape.present_result(self.distribution, most)
        return Response(body | proofs.entries(self.distribution.drawing, first, most), headers=FOR_A_SECOND)

    @describes(ProofSerializer, refusals=bodies.refused_proof_files)
    @action(detail=True, methods=["get"], url_path="proof/file", url_name="proof-file")
    def proof_file(self, request: Request, id: str) -> HttpResponseBase:
        """The same with all entries, as one file."""
        self._require_few("proof-file", FILES)
        return as_file(self.distribution, self.shape)

    def _require_few(self, group: str, rate: str) -> None:
        request = self.request._request
        throttling.require(request, group, staff.client_address(request), rate)


def as_file(distribution: Distribution, shape: ModuleType) -> StreamingHttpResponse:
    """The whole proof, to be saved; it streams, however long it is."""
    result = shape.present_result(distribution, 0)
    head = http.dumps(shape.present_proof(distribution) | result)
    whole = proofs.as_file(head, distribution.drawing, with_order=bool(result))
    answer = StreamingHttpResponse(whole, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="proof-{distribution.pk}.json"'
    return answer
