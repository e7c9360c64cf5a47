"""What is kept from whoever reads the database: keyed hashes and sealed boxes.

Every purpose has its own key, derived from the server's secret, so that nothing made for one passes for
another.
"""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class Unsealable(Exception):
    """A box that was sealed under another `FANFARE_SECRET_KEY`, or for another purpose."""


def derived_key(purpose: str) -> bytes:
    """32 bytes for one purpose."""
    return hmac.new(settings.SECRET_KEY.encode(), f"fanfare:{purpose}".encode(), hashlib.sha256).digest()


def keyed_hash(purpose: str, message: bytes) -> bytes:
    """HMAC-SHA256 under the purpose's key: 32 bytes."""
    return hmac.new(derived_key(purpose), message, hashlib.sha256).digest()


def seal(purpose: str, content: bytes) -> bytes:
    """Encrypt, authenticated."""
    return _fernet(purpose).encrypt(content)


def unseal(purpose: str, box: bytes | memoryview) -> bytes:
    """The content of a box. Raises Unsealable."""
    try:
        return _fernet(purpose).decrypt(bytes(box))
    except InvalidToken:
        raise Unsealable from None


def _fernet(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key(purpose)))
