"""Lists as files: what a list of the console shows, with its filters, all of it, as CSV or as JSON Lines.

Rows are read and sent in batches by their ids, each its own short query: memory stays flat, no statement runs
long, and a slow reader holds neither a transaction nor a cursor. One export at a time in a process, since it
holds one of its few threads for as long as it is read.
"""

import csv
import datetime as dt
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import orjson
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path

from fanfare import clock
from fanfare.console import ConsoleAdmin
from fanfare.wire import iso

BATCH = 2_000  # rows of one query
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_turn = threading.BoundedSemaphore(1)
Row = dict[str, Any]


class _Echo:
    """What csv's writer writes to: each line comes back as it is."""

    def write(self, line: str) -> str:
        return line


def cell(value: Any) -> Any:
    """A value of a CSV file; an apostrophe keeps spreadsheets from running text as a formula."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        value = orjson.dumps(value).decode()
    if isinstance(value, dt.datetime):
        return iso(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


class ExportingAdmin(ConsoleAdmin):
    """A model whose list can be taken away: `export_columns` names what is read for each.

    Rows come in the order of their ids, the first one first.
    """

    export_columns: ClassVar[Mapping[str, str]] = {}
    list_before_template = "admin/export.html"

    def export_row(self, request: HttpRequest, row: Row) -> Row:
        """One row as it goes out, by the names of the columns."""
        return row

    def columns_for(self, request: HttpRequest) -> list[str]:
        """The columns that this staff user gets."""
        return list(self.export_columns)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With the addresses of the list's files."""
        query = request.GET.copy()
        query.pop("p", None)
        urls = {
            f"{kind}_url": f"{self.address('export', kind)}{f'?{query.urlencode()}' if query else ''}"
            for kind in FORMATS
        }
        return super().changelist_view(request, {**urls, **(extra_context or {})})

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        export = path("export/<slug:kind>/", self.admin_site.admin_view(self.export), name=name)
        return [export, *super().get_urls()]

    def export(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """What the list shows under the same filters, as a file."""
        if kind not in FORMATS or not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect(f"{self.address('changelist')}?e=1")
        if not _turn.acquire(blocking=False):
            self.message_user(request, "Another export is under way. Try again when it is done.", "WARNING")
            return redirect(f"{self.address('changelist')}?{request.GET.urlencode()}")
        lines = _Stream(self._lines(request, rows, kind), _turn.release)
        answer = StreamingHttpResponse(lines, content_type=FORMATS[kind])
        name = f"{self.opts.verbose_name_plural}-{clock.now():%Y%m%d-%H%M%S}.{kind}".replace(" ", "-")
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Cache-Control"] = "no-store"
        return answer

    def _lines(self, request: HttpRequest, rows: QuerySet[Any], kind: str) -> Iterator[bytes]:
        columns = self.columns_for(request)
        writer = csv.writer(_Echo())
        if kind == "csv":
            yield f"{writer.writerow(columns)}".encode()
        for batch in batches(rows, self.export_columns.values()):
            named = (dict(zip(self.export_columns, row, strict=True)) for row in batch)
            told = (self.export_row(request, row) for row in named)
            if kind == "csv":
                lines = (str(writer.writerow([cell(row[name]) for name in columns])) for row in told)
                yield "".join(lines).encode()
            else:
                yield b"".join(
                    orjson.dumps({name: row[name] for name in columns}, option=orjson.OPT_UTC_Z) + b"\n"
                    for row in told
                )


def batches(rows: QuerySet[Any], columns: Iterable[str]) -> Iterator[list[Sequence[Any]]]:
    """These columns of all rows by their ids, `BATCH` at a time; what is added meanwhile comes too."""
    ordered, last = rows.select_related(None).order_by("pk").values_list("pk", *columns), 0
    while batch := list(ordered.filter(pk__gt=last)[:BATCH]):
        yield [row[1:] for row in batch]
        if len(batch) < BATCH:
            return
        last = batch[-1][0]


class _Stream:
    """Lines, and what is to be done when they were sent or nobody wants them any more."""

    def __init__(self, lines: Iterator[bytes], done: Callable[[], None]) -> None:
        self._lines, self._done, self._is_done = lines, done, False

    def __iter__(self) -> Iterator[bytes]:
        return self._lines

    def close(self) -> None:
        """Called by the server, however it ended."""
        if not self._is_done:
            self._is_done = True
            self._done()
