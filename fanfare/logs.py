"""How Fanfare logs: one event a line, with the request's id; never a header, a body or a token.

Imported by settings; knows no Django. Lines of libraries come out in the same shape as ours.
"""

import io
import re
import sys
from typing import Any

import structlog

# Quieter than the rest: what they say, `fanfare.request` says better, or strangers could flood.
_LEVELS = {
    "django.request": "ERROR",
    "django.security": "CRITICAL",
    "django_structlog": "WARNING",
    "celery.app.trace": "WARNING",
    "celery.worker.strategy": "WARNING",
    "celery.beat": "WARNING",
    "psycopg.pool": "WARNING",
    "httpx": "WARNING",  # it says each address whole, and a gateway's may hold a password
}
# Below its first line PostgreSQL quotes the row or the statement that failed, people's addresses and all.
_QUOTED = re.compile(
    r"(?:\n|\\n)(?:DETAIL|CONTEXT|HINT|QUERY|LINE \d+):.*?(?=\n\n(?:The above|During handling)|\Z)",
    re.DOTALL,
)
_shared: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def configure(form: str, level: str) -> dict[str, Any]:
    """Set structlog up; Django's `LOGGING` for that form (`console` or `json`) and level."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    line = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(form)],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {name: {"level": least} for name, least in _LEVELS.items()},
    }


def _renderers(form: str) -> list[Any]:
    """Traces without the locals of their frames: keys and tokens are among them."""
    if form == "json":
        bare = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        return [
            structlog.processors.ExceptionRenderer(bare),
            _quote_nobody,
            structlog.processors.JSONRenderer(),
        ]
    return [
        _quote_nobody,
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=_write_trace),
    ]


def _quote_nobody(_: Any, __: str, event: Any) -> Any:
    """A processor: the event without what PostgreSQL quotes, in whatever field."""
    return _unquoted(event)


def _unquoted(value: Any) -> Any:
    if isinstance(value, str):
        return _QUOTED.sub("", value)
    if isinstance(value, dict):
        return {name: _unquoted(entry) for name, entry in value.items()}
    return [_unquoted(entry) for entry in value] if isinstance(value, list) else value


def _write_trace(stream: Any, exc_info: Any) -> None:
    buffer = io.StringIO()
    structlog.dev.plain_traceback(buffer, exc_info)
    stream.write(_QUOTED.sub("", buffer.getvalue()))
