"""After a test that commits: only the tables that got rows are emptied.

Django's `flush` truncates all sixty, and makes content types and permissions anew: a tenth of a second for
every test, and there are thousands.
"""

from functools import cache

from django.db import connection, transaction

# Made with the tables, and changed by no test.
_KEPT = frozenset(["django_migrations", "django_content_type", "auth_permission"])
_REFERENCED = "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"


@cache
def _tables() -> tuple[list[str], frozenset[str]]:
    """All tables to be emptied, and which of them foreign keys point at."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCED)
        return sorted(set(names) - _KEPT), frozenset(name for (name,) in cursor.fetchall())


def empty_tables() -> None:
    """Delete all rows that tests have written. Foreign keys are checked at the end, so in any order."""
    names, referenced = _tables()
    has_rows = " UNION ALL ".join(f"(SELECT '{name}' FROM {name} LIMIT 1)" for name in names)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(has_rows)
        filled = [name for (name,) in cursor.fetchall()]
        for name in filled:
            # The trace refuses to be deleted from; a table that others point at, to be truncated.
            cursor.execute(f"DELETE FROM {name}" if name in referenced else f"TRUNCATE {name}")
