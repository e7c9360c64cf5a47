"""One-time codes: ask for one, check one.

Six digits withstand guessing because few guesses are looked at: five a code, twenty wrong ones a day and
address, whatever new codes are sent meanwhile. Everything is counted in PostgreSQL, under the lock of the
address' row, so that the limits hold at any concurrency and without Redis. Nothing here looks whether an
address belongs to somebody, so neither answer nor time can tell.
"""

import datetime as dt
import hmac
import math
import secrets

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from auth_otp.models import OtpAddress, OtpChallenge
from experiences.models import Organization
from fanfare import errors, outgoing, sealing
from fanfare.contacts import Contact

PURPOSE = "otp"
DIGITS = 6
MOST_ATTEMPTS = 5  # of one code
MOST_FAILURES = 20  # of one address a day
DAY = dt.timedelta(days=1)
WINDOW = dt.timedelta(minutes=10)
MOST_OF_ADDRESS, MOST_OF_CLIENT = 5, 20  # requests in a WINDOW
MEMORY = dt.timedelta(hours=1)  # requests so old don't lengthen the wait for the next
LONGEST_WAIT = 600  # seconds
CLIENT_BYTES = 16


@transaction.atomic(durable=True)
def request(
    organization: Organization, contact: Contact, *, name: str, client: str, now: dt.datetime
) -> tuple[OtpChallenge, int]:
    """A new code for the address, which voids the one before; and the seconds until another may be sent.

    `client` is the network address that asks. Raises RateLimited.
    """
    address = _locked(organization, contact, now)
    sent = _sent_before(organization, contact, now)
    _require_patience(sent, address, now)
    asker = _asker(organization, client)
    _require_few_of_client(asker, now)
    OtpChallenge.objects.filter(
        organization=organization, address=contact.address, used_at=None, voided_at=None
    ).update(voided_at=now, box=None)
    OtpAddress.objects.filter(pk=address.pk).update(asked_at=now)
    challenge = _make(organization, contact, name, asker, now)
    return challenge, _seconds_until(_free_at([now, *sent], address), now)


def _asker(organization: Organization, client: str) -> bytes:
    return sealing.keyed_hash(f"otp-client:{organization.id}", client.encode())[:CLIENT_BYTES]


def name_given_by(challenge: OtpChallenge, client: str) -> str:
    """The name that came with the request, if it came from there: a stranger may ask for somebody's code."""
    is_same = hmac.compare_digest(bytes(challenge.client), _asker(challenge.organization, client))
    return challenge.name if is_same else ""


def _locked(organization: Organization, contact: Contact, now: dt.datetime) -> OtpAddress:
    """The address' row, made if need be; requests and checks of one address wait for one another."""
    known = {"organization": organization, "address": contact.address}
    row = None
    while row is None:  # again, should a purge or an erasing have deleted it meanwhile
        OtpAddress.objects.bulk_create([OtpAddress(**known, asked_at=now)], ignore_conflicts=True)
        row = OtpAddress.objects.select_for_update(no_key=True).filter(**known).first()
    return row


def _sent_before(organization: Organization, contact: Contact, now: dt.datetime) -> list[dt.datetime]:
    """When codes were asked for lately, newest first."""
    rows = OtpChallenge.objects.filter(
        organization=organization, address=contact.address, created_at__gt=now - MEMORY
    )
    return list(rows.order_by("-created_at").values_list("created_at", flat=True)[:100])


def _wait_after(sent: list[dt.datetime], address: OtpAddress) -> int:
    """Seconds between the newest request and the next: twice as long each time, until one succeeds."""
    since = [at for at in sent if address.succeeded_at is None or at > address.succeeded_at]
    times = min(max(0, len(since) - 1), 10)
    return int(min(LONGEST_WAIT, settings.OTP_RESEND_SECONDS * 2**times))


def _require_patience(sent: list[dt.datetime], address: OtpAddress, now: dt.datetime) -> None:
    if sent and now < (free_at := _free_at(sent, address)):
        raise _limited("A code was sent there just now.", free_at, now)


def _free_at(sent: list[dt.datetime], address: OtpAddress) -> dt.datetime:
    """When the next one may be asked for: after the growing wait, and with room in the WINDOW."""
    free_at = sent[0] + dt.timedelta(seconds=_wait_after(sent, address))
    if len(sent) >= MOST_OF_ADDRESS:
        free_at = max(free_at, sent[MOST_OF_ADDRESS - 1] + WINDOW)
    return free_at


def _require_few_of_client(asker: bytes, now: dt.datetime) -> None:
    """Counted one after another, so that requests at once don't slip through together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"otp:{asker.hex()}"])
    asked = OtpChallenge.objects.filter(client=asker, created_at__gt=now - WINDOW)
    times = list(asked.order_by("-created_at").values_list("created_at", flat=True)[:MOST_OF_CLIENT])
    if len(times) == MOST_OF_CLIENT:
        raise _limited("Too many codes were asked for from here.", times[-1] + WINDOW, now)


def _limited(message: str, free_at: dt.datetime, now: dt.datetime) -> errors.RateLimited:
    wait = _seconds_until(free_at, now)
    return errors.RateLimited(f"{message} Try again in {wait} s.", retry_after=wait)


def _seconds_until(free_at: dt.datetime, now: dt.datetime) -> int:
    return max(1, math.ceil((free_at - now).total_seconds()))


def _make(
    organization: Organization, contact: Contact, name: str, asker: bytes, now: dt.datetime
) -> OtpChallenge:
    code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    challenge = OtpChallenge(
        organization=organization,
        channel=contact.channel,
        address=contact.address,
        name=name,
        client=asker,
        box=sealing.seal(PURPOSE, code.encode()),
        created_at=now,
        expires_at=now + dt.timedelta(seconds=settings.OTP_SECONDS),
    )
    challenge.digest = _digest(challenge, code)
    challenge.save(force_insert=True)
    return challenge


def _digest(challenge: OtpChallenge, code: str) -> bytes:
    return sealing.keyed_hash(PURPOSE, bytes(challenge.salt) + code.encode("utf-8", "surrogatepass"))


def check(
    organization: Organization, contact: Contact, code: str, *, now: dt.datetime
) -> OtpChallenge | errors.FanfareError:
    """The challenge that the code answers, which is spent; or why not, for the caller to raise when it
    has committed what was counted: OtpInvalid, OtpExpired, RateLimited.
    """
    address = _locked(organization, contact, now)
    free_at = _guessing_again_at(organization, contact, now)
    if free_at is not None:
        return _limited("Too many wrong codes.", free_at, now)
    challenge = (
        OtpChallenge.objects.filter(organization=organization, address=contact.address)
        .order_by("-created_at", "-id")
        .first()
    )
    if challenge is None or challenge.used_at or challenge.voided_at:
        return _no_code()
    if challenge.expires_at <= now:
        return errors.OtpExpired("Ask for a new code.")
    if challenge.attempts >= MOST_ATTEMPTS:
        return _no_code()
    if not hmac.compare_digest(_digest(challenge, code), bytes(challenge.digest)):
        challenge.attempts += 1
        challenge.save(update_fields=["attempts"])
        return _no_code()
    challenge.used_at, challenge.box, address.succeeded_at = now, None, now
    challenge.save(update_fields=["used_at", "box"])
    address.save(update_fields=["succeeded_at"])
    return challenge


def _no_code() -> errors.OtpInvalid:
    return errors.OtpInvalid("The code is wrong, used, or tried too often. Ask for a new one.")


def _guessing_again_at(organization: Organization, contact: Contact, now: dt.datetime) -> dt.datetime | None:
    """When one may guess again; None: now. A guess counts until a day after the end of its code's life,
    so that no twenty-four hours see more than `MOST_FAILURES`.
    """
    rows = OtpChallenge.objects.filter(
        organization=organization, address=contact.address, attempts__gt=0, expires_at__gt=now - DAY
    )
    failures = 0
    for expires_at, attempts in rows.order_by("-expires_at").values_list("expires_at", "attempts"):
        failures += attempts
        if failures >= MOST_FAILURES:
            return expires_at + DAY
    return None


def purge(*, now: dt.datetime, before: dt.datetime, at_most: int) -> int:
    """Delete codes that were asked for before then and are over, and the rows of addresses that nobody has
    asked for since; how many. What was never sent and is over by now can't be read any more.
    """
    outgoing.empty_expired(OtpChallenge.objects.all(), now=now)
    is_over = Q(created_at__lt=before, expires_at__lt=before)
    # Said twice: what a request touched while the purge waited for its row is looked at anew.
    is_idle = Q(asked_at__lt=before)
    codes = OtpChallenge.objects.filter(is_over).values_list("pk", flat=True)[:at_most]
    idle = OtpAddress.objects.filter(is_idle).values_list("pk", flat=True)[:at_most]
    deleted, _ = OtpChallenge.objects.filter(is_over, pk__in=codes).delete()
    return deleted + OtpAddress.objects.filter(is_idle, pk__in=idle).delete()[0]
