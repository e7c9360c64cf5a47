"""Translations: the `.po` files that people write, and the `.mo` files beside them that Django reads.

Both are committed, so that a bare machine needs no gettext. Only what the hosted pages use of the format is
understood: messages with and without plural, a header, comments.
"""

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
_SOURCES = ("templates/hosted/**/*.html", "distributions/pages/*.py")
_STRING = r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_CALL = re.compile(rf"(?<![\w.])_?(n?)(?:gettext|_)\(\s*{_STRING}(?:\s*,\s*{_STRING})?")
_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr)(?:\[(\d)\])?\s+)?(".*")')
Messages = dict[tuple[str, ...], list[str]]
"""By the message, and its plural where it has one: the translations, one for each form."""


def paths() -> list[Path]:
    """All `.po` files."""
    return sorted(ROOT.glob("locale/*/LC_MESSAGES/django.po"))


def used() -> set[tuple[str, ...]]:
    """What the pages say, in English."""
    files = (path for pattern in _SOURCES for path in ROOT.glob(pattern))
    return {found for path in files for found in _messages_in(path)}


def _messages_in(path: Path) -> Iterator[tuple[str, ...]]:
    text = path.read_text()
    source = templatize(text, origin=str(path)) if path.suffix == ".html" else text
    for plural, *strings in _CALL.findall(source):
        words = [ast.literal_eval(string) for string in strings if string]
        yield tuple(words[: 2 if plural else 1])


def read(path: Path) -> Messages:
    """A `.po` file; the header is the message without words."""
    found: Messages = {}
    keys, texts, field = [""], [""], "msgstr"
    for line in path.read_text().splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        name, number, text = match[1], int(match[2] or 0), ast.literal_eval(match[3])
        if name == "msgid":
            found[tuple(keys)] = texts
            keys, texts = [""], [""]
        elif name == "msgid_plural":
            keys.append("")
        elif name == "msgstr" and number:
            texts.append("")
        field = name or field
        if field == "msgstr":
            texts[-1] += text
        else:
            keys[-1] += text
    return found | {tuple(keys): texts}


def compiled(messages: Messages) -> bytes:
    """The `.mo` file: sorted messages, then their translations, each table with lengths and offsets."""
    done = ((keys, texts) for keys, texts in messages.items() if all(texts))
    pairs = sorted(("\0".join(keys).encode(), "\0".join(texts).encode()) for keys, texts in done)
    start = 28  # bytes of the header
    offset = start + 16 * len(pairs)
    tables, words = b"", b""
    for column in (0, 1):
        for pair in pairs:
            tables += struct.pack("<II", len(pair[column]), offset + len(words))
            words += pair[column] + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, len(pairs), start, start + 8 * len(pairs), 0, 0)
    return header + tables + words
