"""The mathematics of draws against other definitions of the same: leaves, trees, ranks, orders."""

import hmac
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from distributions.core import selection

DRAW = "draw_01JZZZZZZZZZZZZZZZZZZZZZZZ"
SALT = b"salt of the tests"
some_weights = some.lists(
    some.one_of(some.just(1), some.integers(1, 100), some.integers(101, 112), some.just(0)), max_size=60
).map(bytes)


# --- Leaves and tree -------------------------------------------------------------------------------


def tree(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word by word; of leaves that are hashed already."""
    n = len(leaves)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return leaves[0]
    k = 1
    while 2 * k < n:
        k *= 2
    return sha256(b"\x01" + tree(leaves[:k]) + tree(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(71))
def test_the_root_is_that_of_the_rfc(size: int) -> None:
    leaves = [sha256(b"%d" % number).digest() for number in range(size)]
    assert selection.root(iter(leaves)) == tree(leaves)


# The inputs and roots by which implementations of Certificate Transparency are tested.
CT_LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(9))
def test_the_known_vectors_of_certificate_transparency(size: int) -> None:
    leaves = [sha256(b"\0" + bytes.fromhex(text)).digest() for text in CT_LEAVES[:size]]
    assert selection.root(leaves).hex() == CT_ROOTS[size]


@given(some_weights)
def test_all_leaves_at_once_are_those_of_each(weights: bytes) -> None:
    expected = []
    for number, stored in enumerate(weights, 1):
        reason = selection.reason_of(stored)
        mark = sha256(b"fanfare/removed/1" + reason.encode()).digest()
        if not reason:
            mark = selection.mark(selection.entry_id(SALT, number))
        expected.append(selection.leaf(DRAW, number, 0 if reason else stored, mark))
    assert list(selection.leaves(DRAW, weights, SALT)) == expected


@given(some_weights, some.integers(0, 59), some.integers(0, 20))
def test_marks_of_a_page_are_those_of_the_whole(weights: bytes, start: int, size: int) -> None:
    page = weights[start : start + size]
    whole = list(selection.marks(weights, SALT))
    assert list(selection.marks(page, SALT, start + 1)) == whole[start : start + size]


def test_reasons_there_and_back() -> None:
    assert [selection.reason_of(selection.removed_byte(reason)) for reason in selection.REMOVED] == [
        *selection.REMOVED
    ]
    assert selection.reason_of(selection.removed_byte("Ms. Doe's own words")) == selection.OTHER
    assert {selection.reason_of(weight) for weight in range(1, 101)} == {""}
    assert selection.reason_of(0) == selection.MISSING


@given(some_weights, some.data())
def test_any_change_of_the_list_changes_the_root(weights: bytes, data: some.DataObject) -> None:
    """A weight, a reason, one more, one fewer."""
    root = selection.root(selection.leaves(DRAW, weights, SALT))
    at = data.draw(some.integers(0, len(weights)))
    value = data.draw(some.integers(0, 112))
    others = {weights[:at] + bytes([value]) + weights[at:], weights[:at] + weights[at + 1 :]}
    others |= {weights[:at] + bytes([value]) + weights[at + 1 :]}
    for other in others - {weights}:
        assert selection.root(selection.leaves(DRAW, other, SALT)) != root


def test_what_is_published_stays_as_it_is() -> None:
    """Proofs are kept for years: the same list and seed give these very values in every version."""
    weights = bytes([1, 1, 3, 101, 100, 0, 1, 112, 2, 1])
    seed, beacon = bytes(range(32)), sha256(b"beacon").digest()
    root = selection.root(selection.leaves(DRAW, weights, SALT))
    key = selection.draw_key(seed, root, 7, 3, beacon)
    order = [number for _, number in selection.order(weights, key, 10)]
    found = selection.commitment(seed), selection.entry_id(SALT, 9).hex(), root.hex(), key.hex(), order
    assert found == PUBLISHED


PUBLISHED = (
    "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd",
    "3151a59ed39cc5b89c2febbfc565390d",
    "c487171cbf4582ddce6276621ebf08ac596390cc89ec7e3ccbef82314b42aa53",
    "4046efb15ed879ca26107c327e63a792a9aede92112bc92fd807415fc9d22bc8",
    [5, 9, 10, 7, 2, 1, 3],
)


# --- Ranks and order -------------------------------------------------------------------------------


def best_of(key: bytes, number: int, weight: int) -> bytes:
    """The rank, as the documentation words it."""
    first = number.to_bytes(8, "big")
    more = [first + ticket.to_bytes(8, "big") for ticket in range(2, weight + 1)]
    return min(hmac.new(key, ticket, sha256).digest() for ticket in [first, *more])


@given(some.binary(min_size=32, max_size=32), some.integers(1, 2**40), some.integers(1, 100))
def test_a_rank_is_that_of_the_best_ticket(key: bytes, number: int, weight: int) -> None:
    assert selection.rank(key, number, weight) == best_of(key, number, weight)


@given(some.binary(min_size=32, max_size=32), some.integers(1, 2**40), some.integers(1, 99))
def test_one_more_ticket_never_makes_a_rank_worse(key: bytes, number: int, weight: int) -> None:
    assert selection.rank(key, number, weight + 1) <= selection.rank(key, number, weight)


def plain(weights: bytes, key: bytes) -> list[tuple[bytes, int]]:
    """All entries, sorted by their ranks."""
    live = [(number, weight) for number, weight in enumerate(weights, 1) if 1 <= weight <= 100]
    return sorted((best_of(key, number, weight), number) for number, weight in live)


@settings(max_examples=60)
@given(some_weights, some.binary(min_size=32, max_size=32), some.integers(0, 70))
def test_the_order_is_a_plain_sort(weights: bytes, key: bytes, most: int) -> None:
    assert selection.order(weights, key, most) == plain(weights, key)[:most]


@settings(max_examples=60)
@given(some_weights, some.binary(min_size=32, max_size=32), some.lists(some.integers(1, 25), min_size=1))
def test_the_order_in_several_passes_is_the_same(weights: bytes, key: bytes, steps: list[int]) -> None:
    found: list[tuple[bytes, int]] = []
    for step in [*steps, 60, 60]:
        found += selection.order(weights, key, step, found[-1][0] if found else b"")
    assert found == plain(weights, key)


def test_the_key_hangs_on_all_that_it_is_said_to() -> None:
    about: tuple[bytes, bytes, int, int, bytes] = (bytes(32), b"\1" * 32, 5, 2, b"")
    others = [(b"\2" * 32, *about[1:]), (about[0], b"\2" * 32, *about[2:])]
    others += [(*about[:2], 6, 2, b""), (*about[:2], 5, 3, b""), (*about[:4], b"\3" * 32)]
    keys = {selection.draw_key(*each) for each in [about, *others]}
    assert len(keys) == 6
    whole = b"fanfare/key/1" + bytes(32) + b"\1" * 32 + bytes([0] * 7 + [5]) + bytes([0] * 7 + [2])
    assert selection.draw_key(*about) == sha256(whole).digest()
