"""Reading lists of people: columns, separators, spellings, and what is wrong by line."""

import pytest
from django.core.exceptions import ValidationError

from experiences import audiences

ADA, PHONE = "email:ada@example.com", "phone:+4930901820"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", []),
        ("\n\n", []),
        ("ada@example.com", [ADA]),
        ("\ufeffAda@Example.com\r\n+49 30 901820\r4711\n", [ADA, PHONE, "external:4711"]),
        ("email,phone,id\nada@example.com,+4930901820,4711", [ADA, PHONE, "external:4711"]),
        ("email,id\nada@example.com,\n,0815", [ADA, "external:0815"]),
        ("E-Mail;Name;Phone\nada@example.com;Ada;+4930901820", [ADA, PHONE]),
        ("id\tname\n4711\tAda", ["external:4711"]),
        ("id\n+49\nada@example.com", ["external:+49", "external:ada@example.com"]),
        ('email\n"ada@example.com"\n', [ADA]),
        (' "x"', ["external:\"x\""]),
        ("email\nada@example.com\nada@example.com", [ADA, ADA]),
        ("ada@example.com,+4930901820", [ADA, "phone:+4930901820"]),
        ("Kundennummer;E-Mail-Adresse;Name\n4711;ada@example.com;Ada", ["external:4711", ADA]),
        ("x" * 320, ["external:" + "x" * 320]),
    ],
)  # fmt: skip
def test_lists_are_read(text: str, keys: list[str]) -> None:
    found = audiences.read_csv(text)
    assert (found.keys, found.problems) == (keys, [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("ada@example.com\nada@", "Line 2, “ada@”"),
        ("+49 1", "Line 1, “+49 1”"),
        ("email\n\n4711", "Line 3, “4711”"),
        ("phone\nada@example.com", "Line 2, “ada@example.com”"),
        ("x" * 321, "Line 1, “" + "x" * 50 + "”"),
    ],
)
def test_what_is_wrong_is_told_by_line(text: str, line: str) -> None:
    found = audiences.read_csv(text)
    (problem,) = found.problems
    assert problem.startswith(f"{line}: ")


def test_a_broken_list_is_told_as_such() -> None:
    assert audiences.read_csv('email\n"ada@example.com').problems
    assert audiences.read_csv("a\0b").problems


@pytest.mark.parametrize(
    ("entry", "key"),
    [("ada@example.com", ADA), (" ADA@example.com ", ADA), ("+49 30 901820", PHONE), ("1", "external:1")],
)
def test_an_entry_is_taken_for_what_it_looks_like(entry: str, key: str) -> None:
    assert audiences.read_list([entry]) == [key]


def test_wrong_entries_are_told_by_number() -> None:
    with pytest.raises(ValidationError) as problem:
        audiences.read_list(["4711", "nobody@", "+1", "x" * 321, " "])
    told = problem.value.message_dict["audience"]
    assert [text.partition(":")[0] for text in told] == ["[1]", "[2]", "[3]", "[4]"]


@pytest.mark.parametrize(
    "text", ["name,adresse\nAda,ada@example.com", "ada@example.com,4711", "Ada;Lovelace"]
)
def test_several_columns_need_names(text: str) -> None:
    """People's names would else be taken for customer numbers."""
    found = audiences.read_csv(text)
    assert (found.keys, len(found.problems)) == ([], 1)
