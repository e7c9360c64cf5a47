"""Model fields that several apps use."""

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.validators import RegexValidator
from django.db import models

from fanfare import ids

_Set = TypeVar("_Set")
_Get = TypeVar("_Get")
if TYPE_CHECKING:
    _Text = models.CharField[str, str]
else:
    _Text = models.CharField

slug_rule = RegexValidator(
    r"\A[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z", "Use lower-case letters, digits and inner hyphens."
)


class SlugField(_Text):
    """A name for files and pages, at most 64 lower-case letters, digits and hyphens."""

    default_validators = [slug_rule]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 64, **options})


class IdField(_Text):
    """A primary key `<prefix>_<ULID>`, made on creation; compared byte by byte (`COLLATE "C"`)."""

    def __init__(self, prefix: str = "", **options: Any) -> None:
        self.prefix = prefix
        options.setdefault("max_length", 40)
        options.setdefault("db_collation", "C")
        options.setdefault("editable", False)
        options.setdefault("primary_key", True)
        if prefix:
            options.setdefault("default", partial(ids.new, prefix))
        super().__init__(**options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options |= {"prefix": self.prefix, "primary_key": self.primary_key, "editable": self.editable}
        options.pop("default", None)
        return name, path, args, options


if TYPE_CHECKING:

    class MoneyField(models.BigIntegerField[_Set, _Get]): ...

else:

    class MoneyField(models.BigIntegerField):
        """An amount in minor units of the currency that stands on the same row (see `fanfare.money`)."""
