"""Where the verifier has its proof from: files, addresses, or what is none; and that it stands alone."""

import json

import pytest

from tests.verifier.makers import (
    BOTTOMLESS,
    NO_FILES,
    SMALL,
    WEIGHTS,
    Verify,
    assert_fails,
    assert_good,
    assert_unusable,
    earlier,
    outside,
    proof_of,
    require_short_and_alone,
)
from tests.verifier.servers import Server

NAME = "verify_draw.py"
ROOT = "root is that of the list"


# --- As strangers run it ---------------------------------------------------------------------------


def test_it_runs_by_itself(verify: Verify) -> None:
    proof = proof_of(WEIGHTS)
    said = assert_good(outside(NAME, verify.json(proof)))
    assert said.isascii() and said.endswith("\nVERIFIED\n")
    assert_fails(outside(NAME, verify.json({**proof, "root": "ab" * 32})), ROOT)
    assert outside(NAME, "--help")[0] == 0


def test_it_is_short_and_stands_alone() -> None:
    require_short_and_alone(NAME)


# --- What cannot be used is said in a sentence -----------------------------------------------------


@pytest.mark.parametrize("what", NO_FILES)
def test_a_file_that_is_no_proof(verify: Verify, what: str) -> None:
    assert_unusable(verify.run(verify.text(NO_FILES[what])))


@pytest.mark.parametrize("what", NO_FILES)
def test_a_file_that_is_no_receipt(verify: Verify, what: str) -> None:
    receipt = verify.text(NO_FILES[what], "receipt.json")
    assert_unusable(verify.run(verify.json(SMALL), "--receipt", receipt))


@pytest.mark.parametrize("deep", BOTTOMLESS, ids=range(len(BOTTOMLESS)))
def test_a_bottomless_file(verify: Verify, deep: str) -> None:
    """In a process of its own: in this one a library has raised the limit that Python keeps."""
    assert_unusable(outside(NAME, verify.text(deep)))


BAD_ARGUMENTS = [
    ["no-such-file.json"],
    ["."],
    [""],
    ["-"],
    ["http://"],
    ["http://["],
    ["http://127.0.0.1:1/"],
    ["http://127.0.0.1:99999/"],
    ["https://é .example/\n"],
    ["{"],
    ["{}", "--receipt", "{"],
    [json.dumps(SMALL), "--receipt", "no-such-file.json"],
    [json.dumps(SMALL), "--receipt", ""],
]


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS, ids=range(len(BAD_ARGUMENTS)))
def test_arguments_that_lead_nowhere(verify: Verify, arguments: list[str]) -> None:
    assert_unusable(verify.run(*arguments))


@pytest.mark.parametrize("arguments", [[], ["{}", "--unknown"], ["{}", "{}"]], ids=str)
def test_how_it_is_not_used(verify: Verify, arguments: list[str]) -> None:
    status, out, err = verify.run(*arguments)
    assert (status, out) == (2, "") and err.startswith("usage: ")


# --- From an address -------------------------------------------------------------------------------


def test_of_a_page_the_whole_is_fetched(verify: Verify, server: Server) -> None:
    assert_good(verify.run(server.at("/draws/1/proof"), "--key", "pk_live_1"))
    assert server.asked == [("/draws/1/proof", "pk_live_1"), ("/draws/1/proof/file", "pk_live_1")]


def test_the_file_itself_and_a_query(verify: Verify, server: Server) -> None:
    assert_good(verify.run(server.at("/draws/1/proof/file"), "--key", "pk"))
    assert_good(verify.run(server.at("/draws/1/proof?limit=1"), "--key", "pk"))
    paths = [path for path, _ in server.asked]
    assert paths == ["/draws/1/proof/file", "/draws/1/proof?limit=1", "/draws/1/proof/file?limit=1"]


@pytest.mark.parametrize("status", ["COMMITTED", "FROZEN"])
def test_what_has_one_page_or_none_is_fetched_once(verify: Verify, server: Server, status: str) -> None:
    server.proof = earlier(SMALL, status)
    assert_good(verify.run(server.at("/draws/1/proof"), "--key", "pk"))
    assert len(server.asked) == 1


def test_a_file_that_claims_to_be_a_page(verify: Verify, server: Server) -> None:
    assert_fails(verify.run(server.at("/endless"), "--key", "pk"), "nextCursor is that of a whole list")
    assert [path for path, _ in server.asked] == ["/endless", "/endless/file"]


def test_a_redirect_does_not_carry_the_key(verify: Verify, server: Server, other_server: Server) -> None:
    server.elsewhere = other_server.at("/draws/1/proof/file")
    assert_good(verify.run(server.at("/elsewhere"), "--key", "pk_live_1"))
    assert server.asked == [("/elsewhere", "pk_live_1")]
    assert other_server.asked == [("/draws/1/proof/file", None)]


def test_a_page_behind_a_redirect_does_not_get_the_key(
    verify: Verify, server: Server, other_server: Server
) -> None:
    """The whole is asked for where the page was asked for, and not where it was found."""
    server.elsewhere = other_server.at("/draws/1/proof")
    assert_unusable(verify.run(server.at("/elsewhere"), "--key", "pk_live_1"))
    assert [path for path, _ in server.asked] == ["/elsewhere", "/elsewhere/file"]
    assert other_server.asked == [("/draws/1/proof", None)]


def test_a_redirect_opens_no_file(verify: Verify, server: Server) -> None:
    server.elsewhere = "file://" + verify.json(server.proof)
    assert_unusable(verify.run(server.at("/elsewhere")), "HTTPError")


@pytest.mark.parametrize("status", [200, 401, 404, 429, 500, 503])
def test_an_address_that_answers_no_proof(verify: Verify, server: Server, status: int) -> None:
    assert_unusable(verify.run(server.at(f"/{status}")), "JSONDecodeError" if status == 200 else f"{status}")
