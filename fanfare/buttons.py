"""What staff may do to one thing in the console: a button, the page that asks, the deed, the message.

A button calls the same domain function as the API; its refusal (a FanfareError) becomes a message.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from fanfare import reasons, staff
from fanfare.errors import FanfareError

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:
    _ModelAdmin = object


def always(thing: Any) -> bool:
    """For a button that is always there."""
    return True


def nothing(thing: Any) -> dict[str, Any]:
    """For a form that is empty at first."""
    return {}


@dataclass(frozen=True)
class Button:
    """What staff may do to one thing. `run` answers with a sentence, or a page of its own; `initial` is what
    its form shows at first.

    A FanfareError that it raises becomes a message. With a question or a form, a page asks first. One that
    `reads` changes nothing, and is a link.
    """

    name: str
    label: str
    icon: str
    run: Callable[[HttpRequest, Any, dict[str, Any]], str | HttpResponseBase]
    allowed: frozenset[str] = staff.STEER
    question: str = ""
    form: type[forms.Form] = forms.Form
    is_offered: Callable[[Any], bool] = always
    variant: str = "default"
    reads: bool = False
    initial: Callable[[Any], dict[str, Any]] = nothing

    @property
    def deed(self) -> str:
        """The label by itself: dots say that a page asks first."""
        return self.label.removesuffix(" …")

    @property
    def asks(self) -> bool:
        """Whether a page comes between pressing and doing."""
        return bool(self.question or self.form.base_fields)

    @property
    def is_link(self) -> bool:
        """Whether pressing it changes nothing yet."""
        return self.asks or self.reads


class Buttons(_ModelAdmin):
    """The pages behind the buttons of one model. `organization_path` leads to its organization's id."""

    organization_path: ClassVar[str]
    buttons: Sequence[Button] = ()

    def organization_of(self, thing: Any) -> str:
        """The id of the organization that a thing belongs to."""
        for name in self.organization_path.split("__"):
            thing = getattr(thing, name)
        return str(thing)

    def may(self, request: HttpRequest, allowed: frozenset[str], thing: Any) -> bool:
        """Whether the staff user has one of these roles where the thing belongs, or anywhere."""
        return staff.may(request, allowed, None if thing is None else self.organization_of(thing))

    def context_of(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        """What a page's template is given beside Django's own: the buttons and their addresses."""
        if thing is None:
            return {}
        offered = [
            (button, self.address("press", thing.pk, button.name))
            for button in self.buttons_of(thing)
            if button.is_offered(thing) and self.may(request, button.allowed, thing)
        ]
        return {"buttons": offered}

    def buttons_of(self, thing: Any) -> Sequence[Button]:
        """All buttons that such a thing may have."""
        return self.buttons

    def address(self, page: str, *arguments: Any) -> str:
        """The URL of one of this model's pages: `change`, `changelist`, `press`, …"""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=arguments)

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_press"
        press = path(
            "<path:object_id>/press/<slug:button>/", self.admin_site.admin_view(self.press), name=name
        )
        return [press, *super().get_urls()]

    def press(self, request: HttpRequest, object_id: str, button: str) -> HttpResponseBase:
        """Ask, if need be, and do. Another organization's thing is not there."""
        thing = self.get_object(request, unquote(object_id))
        if thing is None:
            return self.not_there(request, object_id)
        found = next((entry for entry in self.buttons_of(thing) if entry.name == button), None)
        if found is None:
            raise Http404
        if not self.may(request, found.allowed, thing):
            raise PermissionDenied
        back = self.back(request, thing)
        if found.reads:
            return self._run(request, found, thing, {}) or redirect(back)
        told = {name: request.GET[name] for name in found.form.base_fields if name in request.GET}
        initial = {**found.initial(thing), **told}  # a link may fill the form in
        form = found.form(request.POST if request.method == "POST" else None, initial=initial)
        if request.method == "POST" and form.is_valid():
            answer = self._run(request, found, thing, form.cleaned_data, form)
            if not form.errors:
                return answer or redirect(back)
        more = {"thing": thing, "object": thing, "variant": found.variant, "back": back}
        return self.ask(request, found.deed, found.question, form, **more)

    def back(self, request: HttpRequest, thing: Any) -> str:
        """Where a button leads to when it is done: the page that `from` names as the button it is behind, or
        the thing's own.
        """
        origin = request.GET.get("from")
        if origin in {button.name for button in self.buttons_of(thing) if button.reads}:
            return self.address("press", thing.pk, origin)
        return self.address("change", thing.pk)

    def not_there(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The answer for a thing that is not there, or another organization's."""
        found = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        assert isinstance(found, HttpResponse)
        return found

    def _run(
        self,
        request: HttpRequest,
        button: Button,
        thing: Any,
        values: dict[str, Any],
        form: forms.Form | None = None,
    ) -> HttpResponseBase | None:
        """Do it, or say why not: at the field of the form that it is about, else in a message."""
        if not button.is_offered(thing):
            self.message_user(request, f"“{button.deed}” is no longer possible.", messages.WARNING)
            return None
        is_traced = getattr(form, "is_reason_traced", False)
        reason = values.pop("reason", "") if is_traced else ""
        try:
            with reasons.given(reason):
                answer = button.run(request, thing, values)
        except FanfareError as refusal:
            details = refusal.details
            if form is not None and details and all(detail.field in form.fields for detail in details):
                for detail in details:
                    form.add_error(detail.field, detail.message)
                return None
            self.message_user(request, f"{refusal.error}. {refusal.message}", messages.ERROR)
            return None
        if isinstance(answer, HttpResponseBase):
            return answer
        self.message_user(request, answer, messages.SUCCESS)
        return None

    def ask(
        self,
        request: HttpRequest,
        title: str,
        question: str,
        form: forms.Form,
        **more: Any,
    ) -> HttpResponse:
        """A page with a form between a button and its deed."""
        context = {"question": question, "form": form, "back": self.address("changelist"), **more}
        return self.page(request, "admin/ask.html", title, **context)

    def show_once(self, request: HttpRequest, title: str, text: str, explanation: str) -> HttpResponse:
        """A page with a secret that is stored nowhere: neither by us nor by the browser."""
        response = self.page(request, "admin/shown_once.html", title, text=text, explanation=explanation)
        response["Cache-Control"] = "no-store"
        return response

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
        """A page of this model's that is not one of Django's."""
        whole = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "list_url": self.address("changelist"),
            **context,
        }
        return TemplateResponse(request, template, whole)
