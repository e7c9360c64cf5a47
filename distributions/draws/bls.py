"""BLS signatures on BLS12-381 as drand's `bls-unchained-g1-rfc9380` has them: signatures in G1, keys in G2.

The only module that knows py_ecc, which raises the interpreter's recursion limit a hundredfold when it is
imported; with that, deep JSON from anybody would end the process. So it is put back.
"""

# ruff: noqa: E402 (the limit is read before the import that changes it)
import sys

_limit = sys.getrecursionlimit()

import hashlib
from typing import Any

from py_ecc import optimized_bls12_381
from py_ecc.bls.hash_to_curve import hash_to_G1
from py_ecc.bls.point_compression import decompress_G1, decompress_G2
from py_ecc.bls.typing import G1Compressed, G2Compressed

sys.setrecursionlimit(_limit)

SIGNATURE_BYTES = 48
maths: Any = optimized_bls12_381  # its names are re-exported, which its types don't say
_SHA256: Any = hashlib.sha256
_DST = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"  # RFC 9380's name for this way of hashing


def is_signed(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether e(key, H(message)) = e(g, signature). Both arguments compressed, 48 and 96 bytes."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    halves = int.from_bytes(public_key[:48], "big"), int.from_bytes(public_key[48:], "big")
    key = decompress_G2(G2Compressed(halves))
    try:
        point = decompress_G1(G1Compressed(int.from_bytes(signature, "big")))
    except ValueError:
        return False
    if maths.is_inf(point) or not maths.is_inf(maths.multiply(point, maths.curve_order)):
        return False
    left = maths.pairing(key, hash_to_G1(message, _DST, _SHA256), final_exponentiate=False)
    right = maths.pairing(maths.neg(maths.G2), point, final_exponentiate=False)
    return bool(maths.final_exponentiate(left * right) == maths.FQ12.one())
