"""What pre-queues had committed to moves to their drawings; what was drawn by the older rule stays drawn."""

import secrets

from django.db import migrations

from fanfare import sealing


def move(apps, schema_editor):
    Queue = apps.get_model("distributions", "Queue")
    Drawing = apps.get_model("distributions", "Drawing")
    for queue in Queue.objects.exclude(seed=None).iterator():
        drawn = {}
        if queue.shuffled_at is not None:
            drawn = {
                "seed": queue.seed,
                "frozen_at": queue.shuffled_at,
                "drawn_at": queue.shuffled_at,
                "root": queue.entries_digest,
                "key": bytes(queue.seed).hex(),
            }
        Drawing.objects.create(
            distribution_id=queue.pk,
            seed_box=sealing.seal("seed", bytes(queue.seed)),
            commitment=queue.commitment,
            salt=secrets.token_bytes(32),
            **drawn,
        )


class Migration(migrations.Migration):
    dependencies = [("distributions", "0002_drawings")]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
