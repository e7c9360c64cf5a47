"""Makers and readers for tests of draws: many entries at once, deeds by name, and outsiders who check."""

import contextlib
import io
import json
import runpy
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import jwt
import pytest
from django.db import connection
from django.test import Client

from distributions import tasks
from distributions.core import drawings, selection
from distributions.core.models import Distribution, Drawing, FrozenList, Participation, Status, Tally
from distributions.draws import rules
from distributions.draws.models import Draw, EntryWeight
from experiences.models import Event
from fanfare import clock, sealing
from tests import lines
from tests.world import World

VERIFIER = Path(__file__).resolve().parent.parent / "sdk" / "verifier" / "verify_draw.py"
EVERYBODY = {"sequence": "everyone"}  # of a draw's weights: whoever enters over HTTP


# --- Entries, and what becomes of them -------------------------------------------------------------


def fill(draw: Distribution, world: World, weights: int | Sequence[int]) -> list[str]:
    """So many more entries, or one of each weight, as entering would have left them; their consumers."""
    weights = [1] * weights if isinstance(weights, int) else weights
    first = Tally.objects.get(pk=draw.pk).entered + 1
    people = lines.fill(draw, world, len(weights))
    EntryWeight.objects.bulk_create(
        EntryWeight(distribution=draw, number=number, weight=weight)
        for number, weight in enumerate(weights, start=first)
        if weight > 1
    )
    return people


def sweep() -> None:
    """What a second does: admissions end, then draws go on."""
    tasks.expire_admissions()
    tasks.tick_draws()


def draw_now(draw: Distribution) -> list[int]:
    """Freeze and draw, each in its task; the drawn order of the numbers."""
    tasks.freeze_draw(draw.pk)
    tasks.run_draw(draw.pk)
    assert stored(draw).drawn_at is not None
    return order(draw)


def freeze_by_hand(draw: Distribution) -> bool:
    return rules.freeze(draw.pk, now=clock.now(), actor="staff:1")


# --- What is stored --------------------------------------------------------------------------------


def stored(draw: Distribution) -> Drawing:
    return Drawing.objects.get(pk=draw.pk)


def settings_of(draw: Distribution) -> Draw:
    return Draw.objects.get(pk=draw.pk)


def order(draw: Distribution) -> list[int]:
    """The numbers in the drawn order, as far as it is stored."""
    return list(drawings.unpack_order(FrozenList.objects.get(pk=draw.pk).order))


def due_order(draw: Distribution, beacon: bytes = b"") -> list[int]:
    """The order that the frozen list and the seed will give, whoever draws, and how often."""
    drawing, weights = stored(draw), bytes(FrozenList.objects.get(pk=draw.pk).weights)
    root, seed = bytes.fromhex(drawing.root), sealing.unseal(drawings.SEED, drawing.seed_box)
    key = selection.draw_key(seed, root, drawing.entries, drawing.winner_count, beacon)
    return [number for _, number in selection.order(weights, key, len(weights))]


def by_number(draw: Distribution) -> dict[int, Participation]:
    return {row.place or 0: row for row in Participation.objects.filter(distribution=draw).order_by("place")}


def consumers(draw: Distribution) -> dict[int, str]:
    """Whose entry each number is."""
    return {number: row.consumer_id for number, row in by_number(draw).items()}


def numbers(draw: Distribution, *statuses: Status) -> set[int]:
    """The entries that stand so."""
    return {number for number, row in by_number(draw).items() if row.status in statuses}


def ever_won(draw: Distribution) -> list[int]:
    """Who was ever offered a place, whatever became of it, in the order of their admissions."""
    rows = Participation.objects.filter(distribution=draw, admitted_at__isnull=False)
    places = rows.order_by("admitted_at", "place").values_list("place", flat=True)
    return [place or 0 for place in places]


def held(draw: Distribution) -> int:
    """How many places are held or used, in one look."""
    admitted, returned = Tally.objects.values_list("admitted", "returned").get(pk=draw.pk)
    return admitted - returned


def deeds(draw: Distribution) -> Counter[str]:
    """How often the trace tells that it was frozen, drawn, closed."""
    rows = Event.objects.filter(
        distribution_id=draw.pk, name__in=["draw.frozen", "draw.drawn", "draw.closed"]
    )
    return Counter(rows.values_list("name", flat=True))


def snapshot(draw: Distribution) -> Any:
    """All that is stored of a draw and its entries, to be compared; trace included."""
    rows: list[Any] = []
    for model, key in ((Drawing, "pk"), (FrozenList, "pk"), (Tally, "pk"), (Participation, "distribution")):
        rows += model._default_manager.filter(**{key: draw.pk}).order_by("pk").values_list()
    rows += Event.objects.filter(distribution_id=draw.pk).order_by("id").values_list()
    draws = Draw.objects.filter(pk=draw.pk).values_list("offered", "passed_over", "fell_through")
    return [[bytes(one) if isinstance(one, memoryview) else one for one in row] for row in [*rows, *draws]]


def versions(draw: Distribution) -> dict[int, str]:
    """Which version of its row each number has: another one after any update."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT place, ctid::text || xmin::text FROM distributions_participation"
            " WHERE distribution_id = %s",
            [draw.pk],
        )
        return dict(cursor.fetchall())


def require_one_result(draw: Distribution, due: list[int] | None = None) -> list[int]:
    """Frozen once, drawn once, in the one order that is due, its first winners admitted; that order.

    Nobody was removed after the freeze, and nothing has happened since the draw.
    """
    due = due or due_order(draw)
    drawing = stored(draw)
    assert deeds(draw) == {"draw.frozen": 1, "draw.drawn": 1}
    assert order(draw) == due[: len(order(draw))]
    assert len(order(draw)) >= min(drawing.winner_count, drawing.entries)
    assert numbers(draw, Status.ADMITTED) == set(due[: drawing.winner_count])
    assert lines.require_true_tally(draw).admitted == min(drawing.winner_count, drawing.entries)
    return due


# --- What is told ----------------------------------------------------------------------------------


def proof_of(world: World, draw: Distribution) -> dict[str, Any]:
    """The whole proof, as the file that anyone may have; past the limit of files in a minute."""
    with mock.patch("distributions.core.proof_api.FILES", "10000/m"):
        answer = world.shop_front().get(f"/draws/{draw.pk}/proof/file")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def signed(receipt: dict[str, Any]) -> dict[str, Any]:
    """What a receipt's token says, read as an outsider would, with the published keys."""
    keys = jwt.PyJWKSet.from_dict(Client().get("/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(receipt["token"])["kid"]]
    options: Any = {"verify_aud": False, "verify_iat": False}  # the clock of tests stands still
    claims: dict[str, Any] = jwt.decode(receipt["token"], key, ["EdDSA"], options=options)
    return claims


def disagreements(receipt: dict[str, Any], proof: dict[str, Any]) -> set[str]:
    """In what a receipt that was signed speaks of another draw than the proof does."""
    claims = signed(receipt)
    beacon = proof.get("beacon")
    due = {
        **{name: receipt[name] for name in ("entryNumber", "entryId", "weight", "leaf")},
        "distributionId": proof["id"],
        "commitment": proof["commitment"],
        "winnerCount": proof["winnerCount"],
        **({"beacon": {name: beacon[name] for name in ("chain", "round")}} if beacon else {}),
    }
    return {name for name in due.keys() | {"beacon"} if claims.get(name) != due.get(name)}


# --- An outsider -----------------------------------------------------------------------------------


class Verifier:
    """Runs the stand-alone verifier on files, as an outsider would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, proof: Any, receipt: Any = None) -> tuple[int, str]:
        """Its exit status and what it says."""
        arguments = [self._file("proof.json", proof)]
        if receipt is not None:
            arguments += ["--receipt", self._file("receipt.json", receipt)]
        said = io.StringIO()
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            mock.patch.object(sys, "argv", [VERIFIER.name, *arguments]),
            pytest.raises(SystemExit) as stop,
        ):
            runpy.run_path(str(VERIFIER), run_name="__main__")
        status = int(stop.value.code or 0)
        return status, said.getvalue()

    def require_good(self, proof: Any, receipt: Any = None) -> str:
        status, said = self(proof, receipt)
        assert (status, "FAIL" in said) == (0, False), said
        return said

    def require_bad(self, proof: Any, receipt: Any = None) -> str:
        status, said = self(proof, receipt)
        assert (status, "\nFAIL" in said) == (1, True), said
        return said

    def _file(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)


Change = Callable[[Distribution], None]


def dies(*_: Any, **__: Any) -> Any:
    """In the place of a function in the midst of which a worker dies."""
    raise WorkerDied


class WorkerDied(Exception):
    """Nothing of ours catches it."""
