"""A second factor for staff: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

The library counts failures and makes guessing slower and slower; a code works once. Recovery codes are
stored as keyed hashes.
"""

import secrets
from typing import cast

from django.contrib.auth.models import User
from django.db import transaction
from django_otp import verify_token
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from experiences.models import Authenticator
from fanfare import sealing

RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
_RECOVERY_CHARACTERS = 10


def of(user: User) -> Authenticator | None:
    """The user's app, if they have shown that it works."""
    found: Authenticator | None = Authenticator.objects.filter(user=user, confirmed=True).first()
    return found


def begin(user: User) -> Authenticator:
    """The app to be set up: it counts once a code of it was shown. The same until then."""
    found, _ = Authenticator.objects.get_or_create(user=user, confirmed=False, defaults={"name": "app"})
    return cast(Authenticator, found)


@transaction.atomic
def confirm(user: User, code: str) -> list[str] | None:
    """Take the app into use, if the code is of it; the new recovery codes, to be shown once. Else None."""
    device = begin(user)
    if not verify(user, device, code):
        return None
    Authenticator.objects.filter(user=user, confirmed=True).delete()
    device.refresh_from_db()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    return renew_recovery_codes(user)


def check(user: User, code: str) -> Device | None:
    """The device whose code this is: the app, or a recovery code, which is spent by it."""
    typed = "".join(code.split()).replace("-", "").lower()
    if typed.isdigit() and len(typed) == 6:
        device: Device | None = of(user)
    else:
        device = StaticDevice.objects.filter(user=user, confirmed=True).first()
        typed = _digest(typed)
    return device if device is not None and verify(user, device, typed) else None


def verify(user: User, device: Device, code: str) -> bool:
    """Whether the device knows the code, in a transaction that locks it, so that a code works once."""
    return verify_token(user, device.persistent_id, code) is not None


@transaction.atomic
def renew_recovery_codes(user: User) -> list[str]:
    """New ones; the old ones are worth nothing from then on."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = ["".join(map(secrets.choice, [_LETTERS] * _RECOVERY_CHARACTERS)) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_digest(code)) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def recovery_codes_left(user: User) -> int:
    """How many can still be used."""
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def turn_off(user: User) -> None:
    """Forget the app and the recovery codes."""
    Authenticator.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()


def _digest(code: str) -> str:
    """As stored: 64 bits of a keyed hash."""
    return sealing.keyed_hash("recovery-code", code.encode())[:8].hex()
