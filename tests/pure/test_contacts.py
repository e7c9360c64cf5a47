"""Addresses in one spelling: what is one person, what is none, for e-mail and telephone."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fanfare import contacts
from fanfare.contacts import Channel, Contact

ONE_MAILBOX = {
    "ada@example.com": [
        "ADA@Example.COM",
        "  ada@example.com\n",
        "\u00a0ada@example.com",
        "ａｄａ＠example。com",
    ],
    "kelvin@example.com": ["\u212aelvin@example.com"],
    "ada@münchen.de": [
        "ada@MÜNCHEN.DE",
        "ada@xn--mnchen-3ya.de",
        "ADA@XN--MNCHEN-3YA.DE",
        "ada@mu\u0308nchen.de",
    ],
    "ada@straße.de": ["ada@xn--strae-oqa.de"],
    "ada+news@example.com": ["Ada+News@example.com"],
}
ONE_NUMBER = {
    "+4930901820": [
        "+49 30 901820",
        "+49 (0)30 901820",
        "+49-30-901820",
        "+４９ ３０ ９０１８２０",
        "tel:+4930901820",
    ],
    "+4915123456789": ["+49 1512 3456789", " +49.1512.3456789 "],
    "+390612345678": ["+39 06 1234 5678"],  # the zero belongs to it
}
AS_DIALLED = [
    ("030 901820", "DE", "+4930901820"),
    ("0049 30 901820", "DE", "+4930901820"),
    ("020 7946 0958", "GB", "+442079460958"),
    ("06 12345678", "IT", "+390612345678"),
    ("(202) 555-0123", "US", "+12025550123"),
    ("+44 20 7946 0958", "DE", "+442079460958"),  # what the number says counts
]
NO_MAILBOX = [
    "", " ", "ada", "@", "ada@", "@example.com", "ada@example", "ada@@example.com", "a b@example.com",
    "ada@exam ple.com", "ada@example.com, bob@example.com", "Ada <ada@example.com>", '"a b"@example.com',
    "ada@[127.0.0.1]", "ada@127.0.0.1", "ada@localhost", "ada@example..com", ".ada@example.com", "ada@-x.com",
    "ada@example.com.", "ada@example.com\nBcc: bob@example.com", "ada\r@example.com", "ada\0@example.com",
    "é@example.com", "\u0430da@example.com", "ada@☃.com", "ada@exam\u200dple.com", "ada\u202e@example.com",
    "\ud800@example.com", f"{'x' * 65}@example.com", f"ada@{'x' * 64}.com", f"a@{'b.' * 130}com",
]  # fmt: skip
NO_NUMBER = [
    ("", "DE"), ("abc", "DE"), ("+", None), ("030 901820", None), ("110", "DE"), ("112", None), ("+49", None),
    ("+49 30", None), ("+999 12345678", None), ("020 7946 0958", "DE"), ("+49 30 901820" + "1" * 20, None),
    ("\0" * 10, "DE"), ("\ud800" * 10, "DE"), ("1" * 255, "DE"), ("+49 30 901820;phone-context=+1", None),
]  # fmt: skip
COSTLY = [
    ("+49 900 1234567", None), ("0900 1234567", "DE"), ("+1 900 234 5678", None), ("0180 2 123456", "DE"),
    ("0800 1234567", "DE"), ("+44 909 879 0000", None), ("+33 899 12 34 56", None),
    ("+979 123 456 789", None),
]  # fmt: skip


@pytest.mark.parametrize(("address", "others"), ONE_MAILBOX.items())
def test_spellings_of_one_mailbox(address: str, others: list[str]) -> None:
    assert {contacts.email(text) for text in [address, *others]} == {Contact(Channel.EMAIL, address)}


@pytest.mark.parametrize(("number", "others"), ONE_NUMBER.items())
def test_spellings_of_one_number(number: str, others: list[str]) -> None:
    assert {contacts.phone(text) for text in [number, *others]} == {Contact(Channel.PHONE, number)}


@pytest.mark.parametrize(("text", "country", "number"), AS_DIALLED)
def test_a_number_as_it_is_dialled_somewhere(text: str, country: str, number: str) -> None:
    assert contacts.phone(text, country).address == number


def test_mailboxes_that_differ() -> None:
    texts = ["ada@example.com", "ada@example.org", "a.da@example.com", "ada@straße.de", "ada@strasse.de"]
    assert len({contacts.email(text) for text in texts}) == len(texts)


@pytest.mark.parametrize("text", NO_MAILBOX)
def test_no_mailbox(text: str) -> None:
    with pytest.raises(ValueError, match="e-mail address|At most"):
        contacts.email(text)


@pytest.mark.parametrize(("text", "country"), NO_NUMBER)
def test_no_number(text: str, country: str | None) -> None:
    with pytest.raises(ValueError, match="telephone number"):
        contacts.phone(text, country)


@pytest.mark.parametrize(("text", "country"), COSTLY)
def test_a_number_that_costs_or_is_no_persons(text: str, country: str | None) -> None:
    with pytest.raises(ValueError, match="telephone number"):
        contacts.phone(text, country)


def test_countries() -> None:
    assert all(contacts.is_country(code) for code in ("DE", "US", "SS"))
    assert not any(contacts.is_country(code) for code in ("", "XX", "ZZ", "de", "D", "001", "\0\0"))


some_text = some.text(max_size=60)
mailboxes = some.builds(
    "{}@{}.{}".format,
    some.text(min_size=1, max_size=12),
    some.text(min_size=1, max_size=12),
    some.sampled_from(["com", "DE", "xn--p1ai", "рф", "co.uk"]),
)


@given(some_text | mailboxes | some.emails())
def test_an_address_is_refused_or_settled(text: str) -> None:
    """Law: whatever comes out comes out again, in any case; nothing but ValueError is raised."""
    try:
        found = contacts.email(text)
    except ValueError:
        return
    assert contacts.email(found.address) == contacts.email(found.address.upper()) == found
    assert len(found.address) <= contacts.MOST


@given(
    some_text | some.from_regex(r"\+?[0-9 ()/.x;-]{3,20}", fullmatch=True),
    some.sampled_from(["DE", "US", None]),
)
def test_a_number_is_refused_or_settled(text: str, country: str | None) -> None:
    try:
        found = contacts.phone(text, country)
    except ValueError:
        return
    assert contacts.phone(found.address) == found
    assert len(found.address) <= 16
