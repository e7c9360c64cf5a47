"""Filters of lists by a word's beginning and by a span of time; like `console`, it knows django-unfold."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

if TYPE_CHECKING:
    _TextFilter = admin.SimpleListFilter
    _RangeDateTimeFilter = admin.FieldListFilter
else:
    from unfold.contrib.filters.admin import RangeDateTimeFilter as _RangeDateTimeFilter
    from unfold.contrib.filters.admin import TextFilter as _TextFilter


class BeginningFilter(_TextFilter):
    """Those whose `column` begins like that: a whole name, or the first words of several."""

    column: str

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        return queryset.filter(**{f"{self.column}__startswith": value}) if value else queryset


class BetweenFilter(_RangeDateTimeFilter):
    """From an instant until another, in the page's zone; a day without a time is the whole day."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        begin = self._instant("from", dt.time.min)
        end = self._instant("to", dt.time.max)
        path = self.field_path
        found = queryset if begin is None else queryset.filter(**{f"{path}__gte": begin})
        return found if end is None else found.filter(**{f"{path}__lte": end})

    def _instant(self, which: str, otherwise: dt.time) -> dt.datetime | None:
        """What the two fields say; one that can't be read says nothing."""
        day, time = (self._said(f"{self.field_path}_{which}_{part}") for part in (0, 1))
        try:
            at = dt.datetime.combine(
                dt.date.fromisoformat(day), dt.time.fromisoformat(time) if time else otherwise
            )
            return timezone.make_aware(at) if at.tzinfo is None else at
        except (ValueError, OverflowError):
            return None

    def _said(self, name: str) -> str:
        value: Any = self.used_parameters.get(name) or ""
        return str(value[-1] if isinstance(value, list) else value).strip()


def between(name: str) -> frozenset[str]:
    """The parameters of a `BetweenFilter` of this column, for a list's `more_lookups`."""
    return frozenset(f"{name}_{which}_{part}" for which in ("from", "to") for part in (0, 1))
