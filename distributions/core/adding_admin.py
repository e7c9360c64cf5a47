"""How a distribution is added in the console: its kind first, then a form filled in with what fits."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import urlencode

from distributions.core import proposals
from distributions.core.models import Distribution, Kind
from experiences.models import Sequence as Way
from fanfare import clock
from fanfare.console import HistoryAdmin


class Adding(HistoryAdmin):
    """The pages on which a distribution is added. `faces` are what its kinds show."""

    faces: ClassVar[Mapping[Kind, Any]]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        chosen = request.GET.get("sequence")
        rest = {"sequence": chosen} if chosen else {}
        if request.GET.get("kind") in self.faces:
            kind = Kind(request.GET["kind"])
            title = f"Add {'an' if kind.label[0] in 'AEIOU' else 'a'} {kind.label.lower()}"
            another = f"{self.address('add')}?{urlencode(rest)}"
            told = {"title": title, "adding": self.faces[kind], "another_kind": another}
            return super().add_view(request, form_url, {**(extra_context or {}), **told})
        if not self.has_add_permission(request):
            return super().add_view(request, form_url, extra_context)
        kinds = [
            (kind.label, self.faces[kind], urlencode({"kind": str(kind.value), **rest})) for kind in Kind
        ]
        return self.page(request, "admin/choose_kind.html", "What is to be added?", kinds=kinds)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Times that fit the launch, and what the address says."""
        told = super().get_changeform_initial_data(request)
        ways = self.admin_site.get_model_admin(Way).get_queryset(request).select_related("experience")
        way = ways.filter(pk=told.get("sequence", "")).first()
        zone = self.zone_of(request, None)
        return {**proposals.times(Kind(request.GET["kind"]), way, zone, clock.now()), **told}

    def get_prepopulated_fields(self, request: HttpRequest, obj: Distribution | None = None) -> Any:
        return {} if obj else {"slug": ["name"]}

    def response_post_save_add(self, request: HttpRequest, obj: Distribution) -> HttpResponseRedirect:
        return redirect("admin:experiences_experience_change", obj.sequence.experience_id)
