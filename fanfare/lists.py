"""Lists of tables with millions of rows: nothing counts, sorts or offers them all."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import DataError, OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

COUNTED = 10_000  # rows of a list are counted up to here, and can be leafed through up to here


class CappedPaginator(_Paginator):
    """Counts to `COUNTED` and no further, and not at all where the first page has all there is.

    So what is rare is looked for once, not twice, among all that it isn't.
    """

    template_name = "admin/capped_pagination.html"

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNTED)

    @cached_property
    def _peeked(self) -> list[Any]:
        """The rows of the first page, and one more if there is one."""
        return list(self.object_list[: self.per_page + 1])

    @property
    def first(self) -> list[Any]:
        """The rows of the first page."""
        return self._peeked[: self.per_page]

    @cached_property
    def _counted(self) -> int:
        rows = self.object_list
        if len(self._peeked) <= self.per_page or not isinstance(rows, QuerySet):
            return len(self._peeked if isinstance(rows, QuerySet) else rows)
        return rows.order_by()[: COUNTED + 1].count()

    @property
    def is_capped(self) -> bool:
        """Whether there are more rows than were counted."""
        return self._counted > COUNTED


class Changes(ChangeList):
    """A list whose rows are fetched here, so that an odd or too slow query is a message, not a crash."""

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
            is_first = not self.multi_page or self.page_num == 1
            self.result_list = self.paginator.first if is_first else list(self.result_list)
        except (DataError, OperationalError) as problem:
            raise IncorrectLookupParameters(problem) from problem


class ScopedFilter(RelatedFieldListFilter):
    """A filter by a related thing that offers only those the staff user may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        visible = model_admin.admin_site.get_model_admin(field.remote_field.model).get_queryset(request)
        choices = field.get_choices(include_blank=False, limit_choices_to={"pk__in": visible.values("pk")})
        return list(choices[:COUNTED])
