"""The product's addresses and an empty DRF view, the yardstick of the hot endpoints."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fanfare.urls import handler400, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler404", "handler500", "urlpatterns"]


class Empty(APIView):
    """An empty DRF view under the same server, middleware, parsers and renderers."""

    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [*urlpatterns, path("api/v1/empty", Empty.as_view())]
