"""Forms for settings: what they take fits PostgreSQL, and their write is their check."""

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.forms.models import construct_instance
from django.http import HttpRequest
from django.utils import timezone

from fanfare import durations

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm

YEARS = range(2000, 2200)  # beyond, a time in another zone may not exist


class JsonField(forms.JSONField):
    """JSON that PostgreSQL can store: no NUL, no lone surrogate, no NaN; not nested without end.

    Nothing is shown as nothing, and what is left empty is `when_empty`.
    """

    when_empty: Any = None

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value)
            text = json.dumps(found, ensure_ascii=False, allow_nan=False)
            text.encode()
        except (ValueError, RecursionError):
            raise ValidationError("This is not JSON that can be stored.") from None
        if "\\u0000" in text:
            raise ValidationError("JSON here holds no NUL characters.")
        return self.when_empty if found is None else found

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What is shown again after an error elsewhere, or as it was typed."""
        try:
            self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)


class AmountField(forms.CharField):
    """An amount of money as text; what it is worth is read by whoever knows the currency. Nothing is None."""

    def __init__(self, **options: Any) -> None:
        known = {
            name: options[name]
            for name in ("required", "label", "help_text", "widget", "initial")
            if name in options
        }
        super().__init__(max_length=24, empty_value=None, strip=True, **known)


class SecondsField(forms.CharField):
    """A number of seconds, written as people say it: `10 min`. Nothing is None."""

    def __init__(self, **options: Any) -> None:
        known = {
            name: options[name] for name in ("required", "label", "widget", "initial") if name in options
        }
        help_text = f"{options.get('help_text', '')} Such as 10 min, 1 h 30 min or 2 d.".strip()
        super().__init__(max_length=40, empty_value=None, help_text=help_text, **known)

    def prepare_value(self, value: Any) -> Any:
        return durations.said(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        try:
            return None if text is None else durations.read(text)
        except ValueError as problem:
            raise ValidationError(str(problem)) from None

    def run_validators(self, value: Any) -> None:
        """How long it may be is the model's and its settings' business."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != initial)
        except ValidationError:
            return True


class SettingsForm(_ModelForm):
    """A form whose write is its check: `write` saves under locks, or raises a ValidationError by name.

    `request` and `model_admin` are set by `ConsoleAdmin.get_form`. Times are in the page's time zone.
    """

    request: ClassVar[HttpRequest]
    model_admin: ClassVar[Any]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            if isinstance(field, JsonField):
                field.widget.attrs["rows"] = 3
            if isinstance(field, forms.SplitDateTimeField):
                zone = timezone.get_current_timezone_name()
                field.help_text = f"{field.help_text} Time zone: {zone}.".strip()

    def _post_clean(self) -> None:
        """Instead of the model's own checks, which don't know what is not in the form: the write's."""
        for name, value in list(self.cleaned_data.items()):
            if isinstance(value, dt.datetime) and value.year not in YEARS:
                self.add_error(name, "A time between the years 2000 and 2200.")
        if self.errors:
            return
        construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
        try:
            self.instance = self.model_admin.write(self.request, self.instance, self._values())
        except ValidationError as problem:
            for name, texts in problem.message_dict.items():
                self.add_error(name if name in self.fields else None, texts)

    def _values(self) -> dict[str, Any]:
        """Everything of a new thing; of another what was changed, so that the rest stays as it is by now."""
        told = set(self.cleaned_data if self.instance._state.adding else self.changed_data)
        told -= set(self.model_admin.parents)
        return {name: value for name, value in self.cleaned_data.items() if name in told}


def extended(form: Any, attributes: dict[str, Any]) -> Any:
    """The form class with more fields or attributes."""
    return type(form)(form.__name__, (form,), attributes)
