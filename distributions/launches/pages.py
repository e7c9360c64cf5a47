"""The console's page that takes a launch as a file: what it would change, then the change."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxLengthValidator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from distributions.blueprint import applying, parsing, reading, telling
from distributions.blueprint.parsing import Plan
from experiences import events
from experiences.models import Experience, Organization
from fanfare import clock, memo, staff
from fanfare.console import Select, TextArea
from fanfare.errors import Invalid

if TYPE_CHECKING:
    _ModelChoiceField = forms.ModelChoiceField[Organization]
else:
    _ModelChoiceField = forms.ModelChoiceField

MOST_PROBLEMS = 30
MOST_CHARACTERS = 200_000  # of a file: reading holds a thread for as long as it takes
_COLORS = {"created": "success", "updated": "warning", "unchanged": "default"}


class ImportForm(forms.Form):
    """The file's text, and whose it becomes."""

    below = "admin/choose_file.html"
    accept = ".yaml,.yml,.json"
    organization = _ModelChoiceField(
        queryset=Organization.objects.none(), widget=Select,
        help_text="Where its experiences go, whichever organization the file names. The settings of an "
        "organization that it may hold are left aside.",
    )  # fmt: skip
    text = forms.CharField(
        label="The file", widget=TextArea(attrs={"rows": 16, "class": "font-mono"}), strip=False,
        help_text="YAML or JSON, as “Export” on an experience’s page gives it and manage.py apply reads it.",
        # As a limit of the field's, browsers would cut off what is pasted, and not say so.
        validators=[MaxLengthValidator(MOST_CHARACTERS)],
    )  # fmt: skip

    def __init__(self, *arguments: Any, request: HttpRequest, **options: Any) -> None:
        super().__init__(*arguments, **options)
        mine = Organization.objects.order_by("name")
        if not staff.is_superuser(request):
            mine = mine.filter(pk__in=staff.organizations(request, staff.STEER))
        self.fields["organization"].queryset = mine  # type: ignore[attr-defined]
        if len(mine[:2]) == 1:
            self.fields["organization"].initial = mine[0].pk


def import_file(request: HttpRequest) -> HttpResponse:
    """Ask for a file, show what it would change, change it."""
    if not staff.may(request, staff.STEER):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request=request)
    if request.method != "POST" or not form.is_valid():
        return _page(request, "admin/import.html", "Import a launch", form=form)
    organization, text = form.cleaned_data["organization"], form.cleaned_data["text"]
    is_sure = "sure" in request.POST
    try:
        applied = _apply(request, organization, text, dry_run=not is_sure)
    except Invalid as problem:
        told = [": ".join(filter(None, (detail.field, detail.message))) for detail in problem.details]
        for line in told[:MOST_PROBLEMS]:
            form.add_error(None, line)
        return _page(request, "admin/import.html", "Import a launch", form=form)
    rows = [row for row in telling.as_rows(applied) if row.title != "organization"]
    if is_sure:
        return _done(request, organization, rows)
    more: dict[str, Any] = {"organization": organization, "text": text}
    more["rows"] = [(row, _COLORS[row.verdict]) for row in rows]
    more["changes"] = sum(row.verdict != "unchanged" for row in rows)
    return _page(request, "admin/import_plan.html", "What this file would change", **more)


def _apply(request: HttpRequest, organization: Organization, text: str, *, dry_run: bool) -> applying.Applied:
    """Apply the file to that organization. Raises Invalid."""
    plan = _plan(organization, text)
    with transaction.atomic():
        applied = applying.apply(
            plan, now=clock.now(), actor=events.by_staff(staff.user_id(request)), dry_run=dry_run
        )
        transaction.on_commit(memo.forget_all)
    return applied


def _plan(organization: Organization, text: str) -> Plan:
    """What the file asks for, all of it in that organization. Raises Invalid."""
    data = reading.read(text.encode())
    if isinstance(data, dict):
        data = {**data, "organization": {"slug": organization.slug}}
    return parsing.parse(data)


def _done(request: HttpRequest, organization: Organization, rows: list[telling.Told]) -> HttpResponse:
    """Say what became of it, and go to where it can be seen."""
    made, changed = (sum(row.verdict == verdict for row in rows) for verdict in ("created", "updated"))
    messages.success(
        request, f"{made:,} created, {changed:,} updated, {len(rows) - made - changed:,} as before."
    )
    slugs = [row.name.rpartition("/")[2] for row in rows if row.title == "experience"]
    if len(slugs) == 1:
        experience = Experience.objects.get(organization=organization, slug=slugs[0])
        return redirect("admin:experiences_experience_change", experience.pk)
    return redirect("admin:experiences_experience_changelist")


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    pages: Any = admin.site.get_model_admin(Experience)
    answer: HttpResponse = pages.page(request, template, title, **context)
    return answer
