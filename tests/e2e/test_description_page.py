"""The API's description, as a developer's browser and phone show it, without any outside host."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack


def read(stack: Stack, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{stack.url}/api/v1/docs")
    expect(page.get_by_text("/auth/guest").first).to_be_visible()
    assert len(asked) > 1
    assert {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in asked} == {stack.url}


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_it_shows_the_calls_and_asks_no_other_host(
    stack: Stack, size: str, request: pytest.FixtureRequest
) -> None:
    read(stack, request.getfixturevalue(size))
