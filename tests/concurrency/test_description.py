"""The API's description, asked for by many when a process has just started."""

from django.test import Client

from fanfare import schema
from tests.concurrency.race import race


def test_it_is_made_once(transactional_db: None) -> None:
    schema._document.cache_clear()
    answers = race(8, lambda _: Client().get("/api/v1/openapi.json")).all()
    assert {answer.status_code for answer in answers} == {200}
    assert schema._document.cache_info().misses == 1
