"""The hosted pages speak the visitor's language; the console and the API speak English, as before."""

import pytest
from django.test import Client
from django.utils import translation

from distributions.core.models import Reason
from distributions.pages import words
from experiences.models import Organization
from fanfare import catalogs
from tests.pages.visitor import page, text_of, told
from tests.world import World


@pytest.mark.parametrize(
    ("accepted", "own", "language"),
    [
        ("de", "en", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "en", "de"),
        ("fr,de;q=0.5,en;q=0.4", "en", "de"),
        ("en-GB", "de", "en"),
        ("fr", "de", "de"),
        ("", "de-AT", "de"),
        ("", "fr", "en"),
        ("*", "en", "en"),
        ("de;q=0", "en", "en"),
        ("x" * 5_000, "de", "de"),
    ],
)
def test_which_language(world: World, accepted: str, own: str, language: str) -> None:
    Organization.objects.update(language_code=own)
    answer = page("/e/drop", **{"Accept-Language": accepted})
    assert f'<html lang="{language}">' in answer.content.decode()
    assert answer.headers["Content-Language"] == told(answer)["language"] == language
    assert "Accept-Language" in answer.headers["Vary"]
    assert ("Einen Moment" in text_of(answer)) == (language == "de")
    assert translation.get_language() == "en"


def test_nobody_else_changes_language(world: World) -> None:
    german = {"Accept-Language": "de"}
    assert "Log in" in Client().get("/admin/login/", headers=german).content.decode()
    refused = Client().get("/api/v1/organizations/current", headers=german).json()
    assert refused["error"] == "Authentication required"


def test_every_word_is_translated() -> None:
    used = catalogs.used()
    assert len(used) > 100
    for path in catalogs.paths():
        messages = catalogs.read(path)
        done = {keys for keys, texts in messages.items() if all(texts) and keys != ("",)}
        assert done == used
        assert path.with_suffix(".mo").read_bytes() == catalogs.compiled(messages), "make messages"


def test_placeholders_survive_translation() -> None:
    for path in catalogs.paths():
        for keys, texts in catalogs.read(path).items():
            named = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in (*keys, *texts)]
            assert all(names == named[0] for names in named), keys


def test_every_reason_has_words() -> None:
    assert set(Reason.values) <= set(words.REASONS)
