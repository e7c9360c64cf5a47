"""The stack, the browser, and pages as a desktop and as a phone show them."""

import re
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.stack import Stack, running

DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
# Both are generous: the machine's other half runs other tests meanwhile.
PATIENCE_MILLISECONDS = 20_000
LONGEST_TEST_SECONDS = 240
_CONTEXTS = pytest.StashKey[list[BrowserContext]]()

OpenContext = Callable[..., BrowserContext]


def chromium() -> str | None:
    """The browser's path, None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def pytest_itemcollected(item: pytest.Item) -> None:
    """None without a browser. (It is `tests.conftest` that keeps all of them on one worker.)"""
    item.add_marker(pytest.mark.timeout(LONGEST_TEST_SECONDS))
    if chromium() is None:
        item.add_marker(pytest.mark.skip("There is no Chromium here: apt install chromium"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Keep what the pages of a failed test showed."""
    report = yield
    if report.failed:
        kept = [str(path) for path in _keep_pictures(item)]
        report.sections += [("pictures of the pages", "\n".join(kept))] if kept else []
    return report


def _keep_pictures(item: pytest.Item) -> Iterator[Path]:
    pages = [page for context in item.stash.get(_CONTEXTS, []) for page in context.pages]
    for number, page in enumerate(pages, 1):
        assert item.config.cache is not None
        name = re.sub(r"\W+", "-", item.name).strip("-")
        path = item.config.cache.mkdir("pictures") / f"{name}-{number}.png"
        page.screenshot(path=path, full_page=True)
        yield path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The real processes, once for all tests here."""
    with running(tmp_path_factory.mktemp("stack")) as up:
        yield up


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. A module's own: Playwright's event loop would keep later tests from Django's database."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenContext]:
    """Open a browser of its own (storage, tabs): `open_context(**PHONE)`. Closed at the test's end."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []
    request.node.stash[_CONTEXTS] = contexts

    def opened(**options: Any) -> BrowserContext:
        context = browser.new_context(**(options or DESKTOP))
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.on("weberror", lambda found: errors.append(str(found.error)))
        contexts.append(context)
        return context

    yield opened
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture
def desktop(open_context: OpenContext) -> Page:
    """A page in a wide window."""
    return open_context(**DESKTOP).new_page()


@pytest.fixture
def phone(open_context: OpenContext) -> Page:
    """A page on a small phone."""
    return open_context(**PHONE).new_page()
