"""Invariants 1 and 10: a worker killed in mid-batch leaves nothing half-done, and the next one goes on."""

import os
import signal
import subprocess
import sys
import time as real_time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from distributions import tasks
from distributions.core import reconcile
from distributions.core.models import Distribution, Participation
from distributions.queues import line, rules
from experiences.models import Event
from fanfare import clock as time
from fanfare import redis
from fanfare.celery import app
from tests.concurrency.test_invariant_8_positions import require_redis_to_agree
from tests.lines import admission_times, enter, events_of, fill, fresh, make_consumers, require_true_tally
from tests.world import World

ROOT = Path(__file__).resolve().parent.parent.parent
# Says that the batch's statement has run, and then sleeps: inside the transaction, or just after its commit.
WORKER = """
import sys, time, django
django.setup()
from distributions.core import live, statements
from distributions.queues import rules
from fanfare import clock
move, push = statements.move, live.push
def pause():
    print("here", flush=True)
    time.sleep(60)
def move_and_pause(*args, **kwargs):
    found = move(*args, **kwargs)
    pause()
    return found
if sys.argv[2] == "before":
    statements.move = move_and_pause
else:
    live.push = lambda *_: pause()
rules.admit_batch(sys.argv[1], now=clock.now())
"""


def environment() -> dict[str, str]:
    """What makes another process use this test's database and Redis."""
    found = settings.DATABASES["default"]
    address = f"{found['HOST']}:{found['PORT']}/{connection.settings_dict['NAME']}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "fanfare.settings",
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": f"postgresql://{found['USER']}:{found['PASSWORD']}@{address}",
        "REDIS_URL": settings.REDIS_URL,
        "FANFARE_DB_POOL": "0",
        "FANFARE_LOG_LEVEL": "ERROR",
    }


def kill_in_mid_batch(queue: Distribution, moment: str) -> None:
    """Run a batch in a process of its own and kill it hard at that moment."""
    command = [sys.executable, "-c", WORKER, queue.pk, moment]
    worker = subprocess.Popen(command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "here\n"
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()


def wait_for(condition: Any, seconds: float = 20) -> None:
    """Until it holds; another process is at work."""
    end = real_time.monotonic() + seconds
    while not condition():
        assert real_time.monotonic() < end
        real_time.sleep(0.02)


def is_unlocked(queue: Distribution) -> bool:
    """Whether PostgreSQL has noticed that the killed process is gone."""
    with transaction.atomic():
        return rules._locked(queue.pk, skip_locked=True) is not None


def test_killed_before_the_commit(world: World) -> None:
    queue = world.queue(admission_rate=600, session_seconds=600)
    people = fill(queue, world, 50)
    trace = len(events_of(queue))

    kill_in_mid_batch(queue, "before")

    wait_for(lambda: is_unlocked(queue))
    assert len(line.waiting(queue)) == 50
    assert len(events_of(queue)) == trace
    assert require_true_tally(queue).admitted == 0
    assert rules.admit_batch(queue.pk, now=time.now()) == 10
    admitted = Participation.objects.filter(distribution=queue, status="ADMITTED").order_by("place")
    assert list(admitted.values_list("consumer_id", flat=True)) == people[:10]
    require_true_tally(queue)


def test_killed_between_commit_and_redis(world: World) -> None:
    """What was committed counts, is not done again, and Redis hears of it by the reconciliation."""
    queue = world.queue(admission_rate=600, session_seconds=600)
    watcher = world.consumer()
    watcher.enter(queue)
    fill(queue, world, 50)
    tasks.watch_redis()
    assert watcher.status(queue).json()["position"] == 1

    kill_in_mid_batch(queue, "after")

    assert require_true_tally(queue).admitted == 10
    assert watcher.status(queue).json()["status"] == "QUEUED"  # Redis has not heard of it
    assert rules.admit_batch(queue.pk, now=time.now()) <= 20
    tasks.reconcile_redis()
    assert watcher.status(queue).json()["status"] == "ADMITTED"
    names = Event.objects.filter(distribution_id=queue.pk, name="queue.consumer.admitted")
    assert names.count() == names.values("consumer_id").distinct().count() == len(admission_times(queue))
    require_redis_to_agree(queue)


@pytest.mark.filterwarnings("ignore::celery.exceptions.AlwaysEagerIgnored")
def test_a_celery_worker_killed_at_work(world: World) -> None:
    """Two real workers on one broker; one is killed while they admit, and the crowd goes on moving."""
    queue = world.queue(admission_rate=6000, session_seconds=600)
    fill(queue, world, 600)
    options = ["--pool", "prefork", "-c", "1", "-l", "ERROR", "--without-gossip", "--without-mingle"]
    command = [sys.executable, "-m", "celery", "-A", "fanfare.celery", "worker", *options]
    workers = [
        subprocess.Popen(command, env=environment(), cwd=ROOT, start_new_session=True) for _ in range(2)
    ]
    try:
        redis.client().flushdb()
        send_until(queue, 50)
        os.killpg(workers[0].pid, signal.SIGKILL)
        workers[0].wait()
        send_until(queue, fresh(queue).tally.admitted + 200)
    finally:
        for worker in workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
    wait_for(lambda: is_unlocked(queue))
    tally = require_true_tally(queue)
    moves = [event.consumer_id for event in events_of(queue) if event.name.endswith("admitted")]
    assert len(moves) == len(set(moves)) == tally.admitted
    rows = Participation.objects.filter(distribution=queue).order_by("place")
    statuses = list(rows.values_list("status", flat=True))
    assert statuses == sorted(statuses)
    tasks.watch_redis()
    reconcile.repush(since=time.now() - reconcile.REMEMBERED)
    require_redis_to_agree(queue)


def send_until(queue: Distribution, admitted: int) -> None:
    """What beat does, a little faster: two ticks at once, until so many are admitted."""
    end = real_time.monotonic() + 45
    while fresh(queue).tally.admitted < admitted:
        assert real_time.monotonic() < end, fresh(queue).tally.admitted
        for _ in range(2):
            app.send_task("distributions.tasks.tick_queues", expires=5)
        real_time.sleep(0.3)


def test_entries_survive_the_loss_of_redis(world: World) -> None:
    """Whoever was answered is in PostgreSQL, whatever becomes of Redis."""
    queue, consumer = world.queue(), world.consumer()
    answered = consumer.enter(queue).json()
    redis.client().flushdb()
    redis.reset()
    again = consumer.status(queue).json()
    assert (again["enteredAt"], again["position"]) == (answered["enteredAt"], 1)
    others = make_consumers(world, 2)
    assert [enter(queue, one).place for one in others] == [2, 3]
    tasks.watch_redis()
    require_redis_to_agree(queue)
