"""Device fingerprints: a claim of the client's, kept as a keyed hash, a signal and never an identity."""

import hmac
import re

from experiences.models import Organization
from fanfare import errors, sealing

_SHAPE = re.compile(r"fp_[A-Za-z0-9_-]{10,64}")
BYTES = 16


def read(header: str | None, organization: Organization) -> bytes | None:
    """The stored form of an `X-Fingerprint` header, under the organization.

    Raises FingerprintRequired where it is missing or malformed and the organization asks for one.
    """
    if header is None or not _SHAPE.fullmatch(header):
        if organization.require_fingerprint:
            raise errors.FingerprintRequired
        return None
    return sealing.keyed_hash(f"fingerprint:{organization.id}", header.encode())[:BYTES]


def matches(bound: bytes | None, shown: bytes | None) -> bool:
    """Whether the device shown may be the one bound at entry; nothing bound, nothing to compare."""
    return bound is None or shown is None or hmac.compare_digest(bound, shown)
