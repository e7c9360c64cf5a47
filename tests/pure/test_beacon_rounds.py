"""Rounds of drand's quicknet: when they are due, and which signatures are the network's.

Checked by what the network published, and by what others would like to pass for it.
"""

import datetime as dt
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from distributions.draws import beacon, bls
from distributions.draws.beacon import CHAINS, QUICKNET

ROOT = Path(__file__).resolve().parent.parent.parent
CHAIN = CHAINS[QUICKNET]
curve: Any = bls  # the library's names, which are only to be imported there
ROUND, OTHER_ROUND = 1000, 20_905_307
SIGNATURES = {
    ROUND: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    OTHER_ROUND: "8a60486975062d9f06633c284cf1a7b46fb343f56f329f18"
    "0530ca40a9e86320244f4fbfc37ae866cf25ef499665a31f",
}
RANDOMNESS = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
DUE = dt.datetime(2023, 8, 23, 15, 59, 24, tzinfo=dt.UTC)  # of ROUND


def signature(number: int = ROUND) -> bytes:
    return bytes.fromhex(SIGNATURES[number])


# --- Times -----------------------------------------------------------------------------------------


def test_when_rounds_are_due() -> None:
    assert CHAIN.time_of(1) == dt.datetime(2023, 8, 23, 15, 9, 27, tzinfo=dt.UTC)
    assert CHAIN.time_of(ROUND) == DUE
    assert CHAIN.time_of(OTHER_ROUND) == dt.datetime(2025, 8, 18, 12, 14, 45, tzinfo=dt.UTC)


@given(some.integers(1, 2**33), some.integers(0, 2_999_999))
def test_the_first_round_after_an_instant(number: int, micros: int) -> None:
    """Due later, and the one before is not."""
    instant = CHAIN.time_of(number) + dt.timedelta(microseconds=micros)
    assert CHAIN.first_after(instant) == number + 1


@pytest.mark.parametrize("seconds", [0.001, 0.5, 1, 2.999, 3, 3.5, 86_400])
def test_before_the_first_round(seconds: float) -> None:
    assert CHAIN.first_after(CHAIN.time_of(1) - dt.timedelta(seconds=seconds)) == 1


# --- Signatures ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNATURES)
def test_what_the_network_published_is_genuine(number: int) -> None:
    assert beacon.is_genuine(QUICKNET, number, signature(number))


def test_the_randomness_is_the_published_one() -> None:
    assert hashlib.sha256(signature()).hexdigest() == RANDOMNESS


def flipped(bit: int) -> bytes:
    return (int.from_bytes(signature(), "big") ^ 1 << bit).to_bytes(48, "big")


def point_outside(x: int) -> bytes:
    """The compressed point of the curve y² = x³ + 4 with this x, if there is one."""
    p = int.from_bytes(bytes.fromhex(MODULUS), "big")
    y = pow(x**3 + 4, (p + 1) // 4, p)
    assert y * y % p == (x**3 + 4) % p
    return (1 << 383 | (y > p // 2) << 381 | x).to_bytes(48, "big")


def shifted() -> bytes:
    """The genuine signature plus the point (0, 2), which has the order 3: pairings don't see the difference,
    and whoever could pass it for the value could choose among several.
    """
    maths = bls.maths
    point = curve.decompress_G1(int.from_bytes(signature(), "big"))
    small = maths.FQ(0), maths.FQ(2), maths.FQ(1)
    assert maths.is_inf(maths.multiply(small, 3))
    x, y = (int(each) for each in maths.normalize(maths.add(point, small)))
    sign = 2 * y > int.from_bytes(bytes.fromhex(MODULUS), "big")
    return (1 << 383 | sign << 381 | x).to_bytes(48, "big")


MODULUS = "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
FORGED = {
    "of another round": signature(OTHER_ROUND),
    "negated": flipped(381),
    "not compressed": flipped(383),
    "said to be infinite": flipped(382),
    "infinite": b"\xc0" + bytes(47),
    "infinite with something in it": b"\xc0" + bytes(46) + b"\1",
    "tampered with at its end": flipped(0),
    "tampered with in its middle": flipped(200),
    "outside of the subgroup, of order 3": point_outside(0),
    "outside of the subgroup": point_outside(4),
    "outside of the subgroup too": point_outside(5),
    "genuine plus a point of small order": shifted(),
    "beyond the modulus": bytes.fromhex("9a" + MODULUS[2:]),
    "nothing": b"",
    "zeros": bytes(48),
    "too short": signature()[:-1],
    "too long": signature() + b"\0",
    "twice": signature() * 2,
}


@pytest.mark.parametrize("how", FORGED)
def test_what_is_forged_is_not(how: str) -> None:
    assert not beacon.is_genuine(QUICKNET, ROUND, FORGED[how])


def test_a_round_is_not_another_and_an_unknown_chain_is_none() -> None:
    assert not beacon.is_genuine(QUICKNET, ROUND + 1, signature())
    assert not beacon.is_genuine("ab" * 32, ROUND, signature())


def test_points_outside_are_on_the_curve_all_the_same() -> None:
    """A control: what is refused for its group is a point, so that it is the group that is looked at."""
    for x in (4, 5):
        point = curve.decompress_G1(int.from_bytes(point_outside(x), "big"))
        assert bls.maths.is_on_curve(point, bls.maths.b)
        assert not bls.maths.is_inf(bls.maths.multiply(point, bls.maths.curve_order))


@pytest.mark.parametrize("module", ["distributions.draws.bls", "py_ecc.optimized_bls12_381"])
def test_the_limit_of_recursion_is_the_usual_one(module: str) -> None:
    """The library raises it a hundredfold (the control), and deep JSON would then end the process."""
    script = f"import sys, {module}; print(sys.getrecursionlimit())"
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    is_usual = int(ran.stdout) == 1000
    assert is_usual == (module == "distributions.draws.bls")
