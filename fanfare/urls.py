"""Every address of Fanfare: the API, its description, the hosted pages, the console, health."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from distributions.launches import pages as launches
from distributions.pages import downloads
from distributions.pages import views as hosted
from distributions.waitlists import pages
from fanfare import health, schema

handler400 = "fanfare.middleware.bad_request"
handler404 = "fanfare.middleware.not_found"
handler500 = "fanfare.middleware.crash"

urlpatterns = [
    path("api/v1/", include("consumers.urls")),
    path("api/v1/", include("auth_otp.urls")),
    path("api/v1/", include("experiences.urls")),
    path("api/v1/", include("distributions.urls")),
    path("api/v1/openapi.json", schema.openapi, name="schema"),
    path("api/v1/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("e/<str:name>", hosted.page, name="hosted"),
    path("e/<str:organization>/<str:name>", hosted.page, name="hosted"),
    path("verify/<str:name>", downloads.verifier, name="verifier"),
    path("unsubscribe/<str:token>", pages.unsubscribe, name="unsubscribe"),
    path(".well-known/jwks.json", health.jwks),
    path("metrics", health.metrics),
    # unfold's search answers an odd page number, and Redis being away, with a crash; nothing links to it.
    path("admin/search/", RedirectView.as_view(url="/admin/")),
    path("admin/account/", include("experiences.account")),
    path("admin/import/", admin.site.admin_view(launches.import_file), name="import"),
    path("admin/", admin.site.urls),
    path("", RedirectView.as_view(url="/admin/")),
]
