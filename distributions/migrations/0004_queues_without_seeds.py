from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("distributions", "0003_pre_queues_have_drawings")]

    operations = [
        migrations.RemoveField(
            model_name="historicalqueue",
            name="commitment",
        ),
        migrations.RemoveField(
            model_name="historicalqueue",
            name="entries_digest",
        ),
        migrations.RemoveField(
            model_name="historicalqueue",
            name="shuffled_at",
        ),
        migrations.RemoveField(
            model_name="queue",
            name="commitment",
        ),
        migrations.RemoveField(
            model_name="queue",
            name="entries_digest",
        ),
        migrations.RemoveField(
            model_name="queue",
            name="seed",
        ),
        migrations.RemoveField(
            model_name="queue",
            name="shuffled_at",
        ),
    ]
