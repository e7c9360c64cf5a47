"""E-mail addresses and telephone numbers in the one spelling in which they are compared and stored.

Two spellings of one mailbox would be two people: Unicode is folded (NFKC), case is dropped, an
international domain is written in Unicode, a number is E.164 by its country's rules.
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from email_validator import EmailNotValidError, validate_email

# Numbers of people. Premium and shared-cost ones would let a stranger spend the shop's money.
_CALLED = frozenset(
    [
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.PERSONAL_NUMBER,
        phonenumbers.PhoneNumberType.VOIP,
    ]
)
MOST = 254  # characters, of an address before anyone looks at it (RFC 5321)


class Channel(StrEnum):
    """How somebody can be reached."""

    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True)
class Contact:
    """One address, normalised."""

    channel: Channel
    address: str


def email(text: str) -> Contact:
    """An e-mail address. Raises ValueError with what is wrong.

    Its local part must be ASCII: few servers carry others, and look-alike letters would pass for people.
    """
    folded = unicodedata.normalize("NFKC", text).strip()
    if len(folded) > MOST:
        raise ValueError(f"At most {MOST} characters.")
    try:
        found = validate_email(folded, allow_smtputf8=False, check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise ValueError("An e-mail address, such as ada@example.com.") from None
    return Contact(Channel.EMAIL, found.normalized.lower())


def phone(text: str, default_country: str | None = None) -> Contact:
    """A telephone number; one without its `+` is read as dialled in `default_country` (ISO 3166, `DE`).

    Raises ValueError with what is wrong.
    """
    problem = ValueError("A telephone number, such as +49 30 901820.")
    if len(text) > MOST:
        raise problem
    try:
        found = phonenumbers.parse(text, default_country)
    except phonenumbers.NumberParseException:
        raise problem from None
    if not phonenumbers.is_valid_number(found) or phonenumbers.number_type(found) not in _CALLED:
        raise problem
    return Contact(Channel.PHONE, phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))


def is_country(code: str) -> bool:
    """Whether numbers of that country are known, by its two letters."""
    return code in phonenumbers.SUPPORTED_REGIONS
