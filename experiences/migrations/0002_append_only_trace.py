"""The trace may be added to and nothing else, whatever code asks for it (invariant 6)."""

from django.db import migrations

GUARD = """
CREATE FUNCTION refuse_to_change_the_trace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the trace is append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON experiences_event
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_the_trace();
"""
UNDO = "DROP TRIGGER append_only ON experiences_event; DROP FUNCTION refuse_to_change_the_trace();"


class Migration(migrations.Migration):
    dependencies = [("experiences", "0001_tables")]

    operations = [migrations.RunSQL(GUARD, UNDO)]
