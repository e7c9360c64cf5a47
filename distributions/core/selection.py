"""Drawing by lot so that anyone can repeat it: pure functions, nothing of Django, meant to be published.

    u64(n)      n as 8 bytes, the highest first
    commitment  = SHA-256(seed), the seed being 32 random bytes made before anybody entered
    mark        = SHA-256("fanfare/mark/1" ‖ entry id): tells the holder of the id, and nobody else, whose
                  entry it is; of a number whose entry was removed SHA-256("fanfare/removed/1" ‖ reason)
    leaf        = SHA-256(0x00 ‖ "fanfare/leaf/1" ‖ distribution id ‖ u64(number) ‖ u64(weight) ‖ mark);
                  every number that was given has one, a removed one with the weight 0
    root        of the leaves in order of their numbers, a Merkle tree as RFC 6962 §2.1 has it:
                  node = SHA-256(0x01 ‖ left ‖ right), of no leaves SHA-256("")
    key         = SHA-256("fanfare/key/1" ‖ seed ‖ root ‖ u64(entries) ‖ u64(winners) ‖ beacon), the beacon
                  being the 32 bytes of randomness of the round that was named, or nothing
    rank        = HMAC-SHA256(key, u64(number)); an entry of weight k has k tickets, its rank is the smallest
                  of that and HMAC-SHA256(key, u64(number) ‖ u64(t)) for t = 2 … k
    order       of the entries: the smallest rank first. The winners are its first, alternates follow.

A frozen list is kept as `weights`: one byte a number, 1 to 100 the entry's weight, above that the reason
for which it was removed (`REMOVED`), 0 a number whose entry is missing altogether.
"""

import hashlib
import heapq
import hmac
from collections.abc import Iterable, Iterator

sha256 = hashlib.sha256
MOST_WEIGHT = 100
MISSING = "MISSING"
OTHER = "OTHER"  # somebody's own words, which are never published
# Codes of the contract by which an entry may have been removed; the place in this list is what is stored.
REMOVED = (
    "LEFT", OTHER, "ADMIN_ACTION", "FRAUD_DETECTED", "NOT_ELIGIBLE", "ORDER_LIMIT_EXCEEDED", "DEVICE_LIMIT",
    "DRAW_CLOSED", "QUEUE_CLOSED", "NOT_SELECTED", "OUTBID", "RESERVE_NOT_MET",
)  # fmt: skip
_FIRST_REMOVED = MOST_WEIGHT + 1


def u64(number: int) -> bytes:
    """8 bytes, big-endian."""
    return number.to_bytes(8, "big")


def commitment(seed: bytes) -> str:
    """What is published before the first entry, hexadecimal."""
    return sha256(seed).hexdigest()


def entry_id(salt: bytes, number: int) -> bytes:
    """16 bytes that only who knows the salt can tell; the holder of the receipt is given them."""
    return sha256(salt + number.to_bytes(8, "big")).digest()[:16]


def mark(identity: bytes) -> bytes:
    """The published side of an entry id."""
    return sha256(b"fanfare/mark/1" + identity).digest()


def removed_byte(reason: str) -> int:
    """How `weights` holds a removed entry; what is no known code is OTHER."""
    return _FIRST_REMOVED + REMOVED.index(reason if reason in REMOVED else OTHER)


def reason_of(weight: int) -> str:
    """Why a number that `weights` holds has no entry; empty: it has one."""
    if weight == 0:
        return MISSING
    return REMOVED[weight - _FIRST_REMOVED] if weight >= _FIRST_REMOVED else ""


def marks(weights: bytes, salt: bytes, first: int = 1) -> Iterator[tuple[int, bytes]]:
    """Weight and mark of each number from `first` on; a removed one has the weight 0."""
    of_reasons = {
        weight: sha256(b"fanfare/removed/1" + reason_of(weight).encode()).digest()
        for weight in set(weights)
        if reason_of(weight)
    }
    for number, weight in enumerate(weights, start=first):
        if weight in of_reasons:
            yield 0, of_reasons[weight]
        else:
            identity = sha256(salt + number.to_bytes(8, "big")).digest()[:16]
            yield weight, sha256(b"fanfare/mark/1" + identity).digest()


def leaf(distribution_id: str, number: int, weight: int, mark: bytes) -> bytes:
    """The leaf of one number."""
    prefix = b"\0fanfare/leaf/1" + distribution_id.encode()
    return sha256(prefix + u64(number) + u64(weight) + mark).digest()


def leaves(distribution_id: str, weights: bytes, salt: bytes) -> Iterator[bytes]:
    """The leaves of a frozen list, in order; as `leaf`, without its calls, since there may be millions."""
    prefix = b"\0fanfare/leaf/1" + distribution_id.encode()
    for number, (weight, mark) in enumerate(marks(weights, salt), start=1):
        whole = prefix + number.to_bytes(8, "big") + weight.to_bytes(8, "big") + mark
        yield sha256(whole).digest()


def root(leaves: Iterable[bytes]) -> bytes:
    """The Merkle root, holding no more than one node a level."""
    levels: list[bytes | None] = []
    for node in leaves:
        level = 0
        while level < len(levels) and (left := levels[level]) is not None:
            node = sha256(b"\1" + left + node).digest()
            levels[level] = None
            level += 1
        if level == len(levels):
            levels.append(None)
        levels[level] = node
    found: bytes | None = None
    for left in levels:
        if left is not None:
            found = left if found is None else sha256(b"\1" + left + found).digest()
    return sha256(b"").digest() if found is None else found


def draw_key(seed: bytes, root: bytes, entries: int, winners: int, beacon: bytes = b"") -> bytes:
    """What all ranks hang on."""
    return sha256(b"fanfare/key/1" + seed + root + u64(entries) + u64(winners) + beacon).digest()


def rank(key: bytes, number: int, weight: int = 1) -> bytes:
    """The rank of an entry: the best of its tickets."""
    tickets = [u64(number), *(u64(number) + u64(ticket) for ticket in range(2, weight + 1))]
    return min(hmac.digest(key, ticket, "sha256") for ticket in tickets)


def order(weights: bytes, key: bytes, most: int, after: bytes = b"") -> list[tuple[bytes, int]]:
    """Rank and number of the first `most` entries whose rank is above `after`, in the drawn order."""
    return heapq.nsmallest(most, (entry for entry in _ranked(weights, key) if entry[0] > after))


def _ranked(weights: bytes, key: bytes) -> Iterator[tuple[bytes, int]]:
    """As `rank`, with the key's half of HMAC done once (RFC 2104)."""
    inner, outer = (sha256(bytes(byte ^ pad for byte in key.ljust(64, b"\0"))) for pad in (0x36, 0x5C))

    def mac(message: bytes) -> bytes:
        within, around = inner.copy(), outer.copy()
        within.update(message)
        around.update(within.digest())
        return around.digest()

    for number, weight in enumerate(weights, start=1):
        ticket = number.to_bytes(8, "big")
        if weight == 1:
            yield mac(ticket), number
        elif 1 < weight <= MOST_WEIGHT:
            others = (mac(ticket + u64(other)) for other in range(2, weight + 1))
            yield min(mac(ticket), *others), number
