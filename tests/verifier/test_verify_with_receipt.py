"""What a receipt shows by a proof: the entry was in, or left out; what had been announced did not change."""

import json
from typing import Any

import pytest

from distributions.core import selection
from tests.verifier.makers import (
    BEACON,
    QUEUE,
    STRANGE,
    WEIGHTS,
    Verify,
    assert_fails,
    assert_good,
    assert_refused,
    earlier,
    number_at,
    proof_of,
    receipt_of,
)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_winners_receipt(verify: Verify, wrapped: bool) -> None:
    proof = proof_of(WEIGHTS)
    number = number_at(proof, 2)
    receipt = receipt_of(proof, number)
    said = assert_good(verify(proof, {"status": "QUEUED", "receipt": receipt} if wrapped else receipt))
    assert f"ok    your entry number {number} is in the frozen list: " in said
    assert "note  your entry won: it has place 2 in the drawn order\n" in said
    assert "ok    winnerCount is as your receipt has it: 10\n" in said
    assert "note  check_receipt.py checks whether the receipt is signed" in said


@pytest.mark.parametrize("beacon", [True, False])
def test_the_last_winner_and_the_first_alternate(verify: Verify, beacon: bool) -> None:
    proof = proof_of(WEIGHTS, beacon=beacon)
    said = assert_good(verify(proof, receipt_of(proof, number_at(proof, 10))))
    assert "note  your entry won: it has place 10 in the drawn order\n" in said
    said = assert_good(verify(proof, receipt_of(proof, number_at(proof, 11))))
    assert "note  your entry has place 11 in the drawn order\n" in said


@pytest.mark.parametrize("beacon", [True, False])
def test_a_receipt_of_a_queue(verify: Verify, beacon: bool) -> None:
    """Its number of winners is that of its entries, which no receipt could tell."""
    proof = proof_of(WEIGHTS, kind="queue", beacon=beacon)
    receipt = receipt_of(proof, number_at(proof, 20))
    assert "note  your entry has place 20 in the drawn order\n" in assert_good(verify(proof, receipt))


@pytest.mark.parametrize("status", ["COMMITTED", "FROZEN"])
def test_a_receipt_before_the_draw(verify: Verify, status: str) -> None:
    whole = proof_of(WEIGHTS)
    number = number_at(whole, 1)
    said = assert_good(verify(earlier(whole, status), receipt_of(whole, number)))
    assert (f"your entry number {number} is in the frozen list" in said) == (status == "FROZEN")
    assert "ok    beacon is as your receipt has it" in said
    assert "in the drawn order" not in said


def test_a_receipt_as_literal_json(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    receipt = json.dumps(receipt_of(proof, number_at(proof, 1)))
    assert "is in the frozen list" in assert_good(verify.run(verify.json(proof), "--receipt", f"  {receipt}"))


def test_a_receipt_of_a_removed_entry(verify: Verify) -> None:
    number = next(i for i, weight in enumerate(WEIGHTS, 1) if weight > 100)
    proof = proof_of(WEIGHTS)
    (failure,) = assert_fails(verify(proof, receipt_of(proof, number)))
    assert failure.startswith(f'your entry number {number} is in the frozen list: ["1 ')
    assert failure.endswith(f', not ["0 {selection.reason_of(WEIGHTS[number - 1])}"]')


@pytest.mark.parametrize("number", [61, 10**6])
def test_a_receipt_of_an_entry_that_was_left_out(verify: Verify, number: int) -> None:
    proof = proof_of(WEIGHTS)
    (failure,) = assert_fails(verify(proof, receipt_of(proof, number)))
    assert failure.startswith(f"your entry number {number} is in the frozen list") and failure.endswith(
        ", not []"
    )


def test_a_receipt_of_an_entry_that_was_altered(verify: Verify) -> None:
    """Somebody else's mark or weight was put at the number; the proof by itself holds."""
    proof = proof_of(WEIGHTS)
    number = number_at(proof, 1)
    heavier = bytearray(WEIGHTS)
    heavier[number - 1] += 1
    for ran in (
        verify(proof_of(bytes(heavier)), receipt_of(proof, number)),
        verify(proof, receipt_of(proof, number, entryId="00" * 16)),
        verify(proof, receipt_of(proof, number, weight=99)),
    ):
        (failure,) = assert_fails(ran)
        assert failure.startswith(f"your entry number {number} is in the frozen list")


def test_a_receipt_of_another_draw(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    receipt = receipt_of({**proof, "id": QUEUE}, number_at(proof, 1))
    assert len(assert_fails(verify(proof, receipt), "distributionId is as your receipt has it")) == 1


ANNOUNCED: list[tuple[str, Any]] = [
    ("commitment", "00" * 32),
    ("winnerCount", 11),
    ("winnerCount", True),
    ("winnerCount", "10"),
    ("winnerCount", ...),
    ("beacon", {"chain": BEACON["chain"], "round": 1001}),
    ("beacon", {"chain": "00" * 32, "round": 1000}),
    ("beacon", None),
    ("beacon", ...),
    ("distributionId", ...),
]


@pytest.mark.parametrize("stage", ["COMMITTED", "FROZEN", "DRAWN"])
@pytest.mark.parametrize("name, value", ANNOUNCED, ids=str)
def test_a_receipt_that_announced_something_else(verify: Verify, name: str, value: Any, stage: str) -> None:
    """Whoever could change afterwards how many win, or by which round, could draw again."""
    whole = proof_of(WEIGHTS)
    receipt = receipt_of(whole, number_at(whole, 1), **{name: value})
    (failure,) = assert_fails(verify(earlier(whole, stage), receipt))
    assert failure.startswith(f"{name} is as your receipt has it: ")


def test_a_beacon_that_came_up_after_the_receipt(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    receipt = receipt_of(proof_of(WEIGHTS, beacon=False), number_at(proof, 1))
    assert len(assert_fails(verify(proof, receipt), "beacon is as your receipt has it")) == 1


def test_a_beacon_that_vanished_after_the_receipt(verify: Verify) -> None:
    proof = proof_of(WEIGHTS, beacon=False)
    receipt = receipt_of(proof_of(WEIGHTS), number_at(proof, 1))
    announced = json.dumps({name: BEACON[name] for name in ("chain", "round")})
    assert assert_fails(verify(proof, receipt)) == [
        f"beacon is as your receipt has it: null, not {announced}"
    ]


@pytest.mark.parametrize("name", ["entryNumber", "entryId", "weight"])
def test_nothing_strange_passes_in_a_receipt(verify: Verify, name: str) -> None:
    proof = proof_of(WEIGHTS)
    for strange in [*(one for one in STRANGE if one not in (1e400, "\ud800")), ..., 0, 101]:
        ran = verify(proof, receipt_of(proof, number_at(proof, 1), **{name: strange}))
        assert_refused(ran)


@pytest.mark.parametrize(
    "token", [*STRANGE, "..", "a.b.c", "e30.e30.e30", "e30.W10.e30", "A" * 5000], ids=ascii
)
def test_a_token_that_is_none(verify: Verify, token: Any) -> None:
    proof = proof_of(WEIGHTS)
    ran = verify(proof, {**receipt_of(proof, number_at(proof, 1)), "token": token})
    assert_refused(ran)
