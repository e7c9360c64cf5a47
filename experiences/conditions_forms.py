"""What the console asks before it makes access codes, or fills an audience."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from experiences import audiences
from fanfare import clock
from fanfare.console import NumberInput, TextArea, TextInput
from fanfare.forms import YEARS

MOST_CODES = 10_000  # of one press


class GenerateForm(forms.Form):
    """How many codes, and what for."""

    number = forms.IntegerField(
        label="How many", min_value=1, max_value=MOST_CODES, initial=100, widget=NumberInput,
        help_text=f"Up to {MOST_CODES:,} at once.",
    )  # fmt: skip
    max_uses = forms.IntegerField(
        label="Consumers per code", min_value=1, max_value=1_000_000, initial=1, required=False,
        widget=NumberInput, help_text="Empty: any number.",
    )  # fmt: skip
    expires_at = forms.DateTimeField(required=False, widget=TextInput)
    label = forms.CharField(
        max_length=100, required=False, widget=TextInput, help_text="What the codes are for; staff see it."
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        zone = timezone.get_current_timezone_name()
        self.fields["expires_at"].help_text = f"Empty: never. Time zone: {zone}."
        self.fields["expires_at"].widget.input_type = "datetime-local"  # the browser's own means

    def clean_expires_at(self) -> dt.datetime | None:
        """In the future, and not so far that a time in another zone may not exist."""
        found: dt.datetime | None = self.cleaned_data["expires_at"]
        if found is not None and found.year not in YEARS:
            raise ValidationError("A time between the years 2000 and 2200.")
        if found is not None and found <= clock.now():
            raise ValidationError("It must be in the future.")
        return found


class ImportForm(forms.Form):
    """A list, pasted or taken from a file by the browser."""

    below = "admin/choose_file.html"
    text = forms.CharField(
        label="List", widget=TextArea, strip=False,
        help_text=(
            "CSV or one entry a line: e-mail addresses, telephone numbers with their +, the ids that your "
            "server signs people in by. A first line may name the columns: email, phone, externalId. "
            "One request takes 1 MiB, about 30,000 addresses; import a longer list in pieces, or with "
            "manage.py audience."
        ),
    )  # fmt: skip

    def clean_text(self) -> list[str]:
        """The keys of all members; with a wrong line, none."""
        found = audiences.read_csv(self.cleaned_data["text"])
        if found.problems:
            more = len(found.problems) - audiences.TOLD
            rest = [f"And {more:,} more."] if more > 0 else []
            raise ValidationError([*found.problems[: audiences.TOLD], *rest, "Nothing was imported."])
        if not found.keys:
            raise ValidationError("There is nobody on this list.")
        return found.keys
