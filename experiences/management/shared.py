"""What commands have in common: how a sequence is found, and how PostgreSQL's refusals are told."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError, InterfaceError

from experiences.models import Sequence


def find_sequence(sequence_id: str) -> Sequence:
    """The sequence with that id. Raises CommandError."""
    found = Sequence.objects.filter(pk=sequence_id).select_related("experience__organization").first()
    if found is None:
        raise CommandError(f"There is no sequence {sequence_id}; its page in the console shows its id.")
    return found


@contextmanager
def database_explained() -> Iterator[None]:
    """A PostgreSQL that is away, or says no, as one sentence (CommandError) instead of a traceback."""
    try:
        yield
    except (DatabaseError, InterfaceError) as problem:
        told = " ".join(str(problem).split())
        raise CommandError(
            f"PostgreSQL did not do it, nothing was changed: {told}. "
            "Is `make run` running, or does DATABASE_URL name the right server?"
        ) from None
