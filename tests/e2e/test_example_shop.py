"""The component of the documentation, in the example shop: from the line to the paid order."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from fanfare.stack import ports
from tests.e2e import shop
from tests.e2e.conftest import OpenContext
from tests.e2e.stack import Stack

DOCUMENTED = """\
import { Fanfare, useQueue } from "@fanfare/sdk-react";

// Initialize
const fanfare = new Fanfare({
  publishableKey: "pk_live_xxxxxxxxxxxx",
});

// React Hook
function QueueComponent({ queueId }: { queueId: string }) {
  const { status, enter, leave, isLoading } = useQueue(queueId);

  if (status?.status === "ADMITTED") {
    return <div>You're in! Token: {status.admissionToken}</div>;
  }

  return (
    <button onClick={enter} disabled={isLoading}>
      Join Queue
    </button>
  );
}
"""
WRONG_KEY = "pk_live_" + "x" * 38
UNKNOWN_KEY = "The publishable key is not valid."
# Whatever goes wrong, a page asks no more often than this while a test looks on.
NO_BURST = 5

PLACE = re.compile(r"Your place: \d+")


@dataclass(frozen=True)
class Launch:
    """A queue that lets somebody in every three seconds, and one that waits for staff; a shop behind each."""

    stack: Stack
    key: str
    secret: str
    queues: dict[str, str]
    shops: dict[str, str]  # their addresses: "line", "hand", and "wrong", which has a key that nobody knows

    def send_ahead(self, queue: str, people: int) -> None:
        """Guests who join before anybody else."""
        for _ in range(people):
            token = self.stack.call("POST", "/auth/guest", self.key)["accessToken"]
            path = f"/queues/{self.queues[queue]}/enter"
            self.stack.call("POST", path, token, X_Fingerprint="fp_somebody_ahead")

    def ask(self, verb: str, page: Page, queue: str, **more: str) -> dict[str, Any]:
        """What the shop's server asks about the page's consumer."""
        body = {"consumerId": stored(page, "session")["session"]["consumerId"], **more}
        path = f"/queues/{self.queues[queue]}/{verb}"
        answer: dict[str, Any] = self.stack.call(
            "POST", path, self.secret, body, X_Fingerprint=stored(page, "fingerprint")
        )
        return answer


@pytest.fixture(scope="module")
def launch(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """Shops for all the tests here, built and served as their owner would."""
    shop.build_packages()
    at = {name: ports.free() for name in ("line", "hand", "wrong")}
    queue: dict[str, Any] = {"openAt": "now-1m", "sessionSeconds": 600}
    queues = [
        {"slug": "line", "name": "Line", "admissionRate": 20, **queue},
        {"slug": "hand", "name": "By hand", "admissionRate": None, **queue},
    ]
    origins = [f"http://localhost:{port}" for port in at.values()]
    sequence = {"slug": "everyone", "name": "Everyone", "queues": queues}
    found = stack.apply(
        {
            "organization": {
                "slug": "shoes",
                "name": "Shoes",
                "currencyCode": "EUR",
                "allowedOrigins": origins,
            },
            "experiences": [{"slug": "pair", "name": "The pair", "sequences": [sequence]}],
        }
    )
    keys = found["organization"]
    ids = found["experiences"]["pair"]["sequences"]["everyone"]["queues"]
    with ExitStack() as shops:
        urls = {}
        for name, port in at.items():
            its_keys = {**keys, "publishableKey": WRONG_KEY} if name == "wrong" else keys
            folder = tmp_path_factory.mktemp(name)
            one = shop.running(stack, port, ids.get(name, ids["hand"]), its_keys, folder)
            urls[name] = shops.enter_context(one)
        yield Launch(stack, keys["publishableKey"], keys["secretKey"], ids, urls)


def stored(page: Page, name: str) -> Any:
    """What the SDK keeps in the page's storage."""
    text = page.evaluate(
        "name => localStorage[Object.keys(localStorage).find(key => key.endsWith(name))]", name
    )
    return text if text.startswith("fp_") else json.loads(text)


def asked_of(context: BrowserContext, path: str) -> list[Request]:
    """Fills with the requests to addresses that end so, whichever tab they come from."""
    found: list[Request] = []

    def note(request: Request) -> None:
        if request.url.endswith(path) and request.method != "OPTIONS":
            found.append(request)

    context.on("request", note)
    return found


def join(page: Page, url: str) -> str:
    """Open the shop and join its line; what it says about the place."""
    page.goto(url)
    page.get_by_role("button", name="Join Queue").click()
    return place(page)


def place(page: Page) -> str:
    line = page.get_by_text(PLACE)
    expect(line).to_be_visible()
    found = PLACE.search(line.inner_text())
    assert found is not None
    return found.group()


def test_the_component_is_the_documented_one_letter_by_letter() -> None:
    source = (shop.EXAMPLE / "src/QueueComponent.tsx").read_text()
    mounted, exported = source.split("\nexport ")
    assert exported == "{ fanfare, QueueComponent };\n"
    options = re.compile(r"(?<=new Fanfare\(\{\n).*?(?=\}\);)", re.DOTALL)
    assert options.sub("", mounted) == options.sub("", DOCUMENTED)
    assert "<QueueComponent queueId={queueId} />" in (shop.EXAMPLE / "src/main.tsx").read_text()


def test_a_shopper_joins_waits_is_admitted_and_buys(launch: Launch, phone: Page) -> None:
    launch.send_ahead("line", 3)
    assert join(phone, launch.shops["line"]) > "Your place: 1"
    admitted = phone.get_by_text("You're in! Token: ey")
    expect(admitted).to_be_visible()
    token = admitted.inner_text().removeprefix("You're in! Token: ")
    assert launch.ask("validate", phone, "line", token=token)["valid"] is True
    phone.get_by_role("button", name="Buy for 120 €").click()
    expect(phone.get_by_text("It's yours. Thank you!")).to_be_visible()
    expect(admitted).to_be_hidden()
    assert launch.ask("validate", phone, "line", token=token)["code"] == "TOKEN_USED"
    phone.reload()
    expect(phone.get_by_text("It's yours. Thank you!")).to_be_visible()


def test_a_reload_keeps_the_place(launch: Launch, desktop: Page) -> None:
    entries, guests = asked_of(desktop.context, "/enter"), asked_of(desktop.context, "/auth/guest")
    before = join(desktop, launch.shops["hand"])
    desktop.reload()
    assert place(desktop) == before
    assert (len(entries), len(guests)) == (1, 1)


def test_tabs_share_a_place_and_one_of_them_asks(launch: Launch, open_context: OpenContext) -> None:
    context = open_context()
    looks, guests = asked_of(context, "/status"), asked_of(context, "/auth/guest")
    tabs = [context.new_page() for _ in range(3)]
    before = join(tabs[0], launch.shops["hand"])
    for tab in tabs[1:]:
        tab.goto(launch.shops["hand"])
        assert place(tab) == before
    assert who_asks(context, looks) == {tabs[0]}
    tabs.pop(0).close()  # another one goes on
    assert len(who_asks(context, looks)) == 1
    launch.ask("admit", tabs[0], "hand")
    for tab in tabs:
        expect(tab.get_by_text("You're in!")).to_be_visible()
    assert len(guests) == 1


def who_asks(context: BrowserContext, looks: list[Request]) -> set[Page]:
    """The tabs that the next looks come from."""
    looks.clear()
    for _ in range(3):
        context.wait_for_event("request", lambda request: request.url.endswith("/status"))
    return {request.frame.page for request in looks}


def test_a_shopper_who_was_offline_finds_the_place_again(launch: Launch, desktop: Page) -> None:
    before = join(desktop, launch.shops["hand"])
    desktop.context.set_offline(True)
    tries = asked_of(desktop.context, "/status")
    expect(desktop.get_by_role("alert")).to_have_text("No answer from the server (unreachable).")
    assert place(desktop) == before
    desktop.context.set_offline(False)
    expect(desktop.get_by_role("alert")).to_be_hidden()
    assert place(desktop) == before
    assert len(tries) <= NO_BURST


def test_a_page_that_slept_catches_up_at_once(launch: Launch, desktop: Page) -> None:
    join(desktop, launch.shops["hand"])
    session = desktop.context.new_cdp_session(desktop)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    looks = asked_of(desktop.context, "/status")
    launch.ask("admit", desktop, "hand")
    assert not looks
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(desktop.get_by_text("You're in!")).to_be_visible()
    assert len(looks) <= NO_BURST


def test_a_clock_that_jumped_by_a_night_costs_no_place_and_no_burst(launch: Launch, desktop: Page) -> None:
    desktop.clock.install()
    before = join(desktop, launch.shops["hand"])
    everything = asked_of(desktop.context, "")
    with desktop.expect_response(lambda answer: answer.url.endswith("/status") and answer.ok):
        desktop.clock.fast_forward("10:00:00")
    assert place(desktop) == before
    assert sum(request.url.endswith("/auth/refresh") for request in everything) == 1
    assert len(everything) <= NO_BURST


def test_a_wrong_key_is_told_and_not_tried_again(launch: Launch, desktop: Page) -> None:
    desktop.clock.install()
    desktop.goto(launch.shops["wrong"])
    tries = asked_of(desktop.context, "")
    desktop.get_by_role("button", name="Join Queue").click()
    expect(desktop.get_by_role("alert")).to_be_visible()
    desktop.clock.run_for("10:00")
    expect(desktop.get_by_role("button", name="Join Queue")).to_be_enabled()
    assert [request.url.rsplit("/", 1)[1] for request in tries] == ["guest"]
    expect(desktop.get_by_role("alert")).to_have_text(UNKNOWN_KEY)


@pytest.mark.parametrize("reason", ["__proto__", "constructor"])
def test_a_reason_in_own_words_is_no_name_of_the_languages(
    launch: Launch, desktop: Page, reason: str
) -> None:
    join(desktop, launch.shops["hand"])
    launch.ask("deny", desktop, "hand", reason=reason)
    expect(desktop.get_by_role("status")).to_have_text("We can't let you in.")


@pytest.mark.parametrize("body", ["", "7", "[" * 9000, '{"token": 1, "consumerId": 2, "fingerprint": 3}'])
def test_what_is_no_order_is_told_so(launch: Launch, desktop: Page, body: str) -> None:
    answer = desktop.request.post(launch.shops["hand"] + "/shop/buy", data=body)
    assert (answer.status, answer.json()) == (400, {"message": "This is not an order."})
