"""The verifier of the hosted pages is held to what the stand-alone one says now."""

from tests.verifier import vectors


def test_the_vectors_are_what_the_program_says() -> None:
    assert vectors.PATH.read_text() == vectors.written()
