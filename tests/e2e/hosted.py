"""What the tests of the hosted pages share: a launch behind a link, its shop, axe-core's eye on each page."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import ROOT, Stack

SHOP = "http://localhost:9/cart"  # nobody listens there: the browser is told what the shop would say
AXE = ROOT / "sdk/node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")  # axe-core's tags of 2.2, level AA


@dataclass(frozen=True)
class Hosted:
    """An experience with one distribution, and where it is."""

    stack: Stack
    url: str  # as it is shared, with the way back to the shop
    path: str  # of the distribution in the API: /queues/queue_…
    key: str
    secret: str

    def ask(self, verb: str, page: Page) -> Any:
        """What the shop's server asks about whom the page has led to it."""
        found = parse_qs(urlsplit(page.url).query)
        token, device = found["fanfareToken"][0], found.get("fanfareFingerprint", [""])[0]
        body = {"token": token, "consumerId": claims(token)["sub"]}
        headers = {"X_Fingerprint": device} if device else {}
        return self.stack.call("POST", f"{self.path}/{verb}", self.secret, body, **headers)

    def send_ahead(self, people: int) -> None:
        """Guests who come before anybody else."""
        for _ in range(people):
            token = self.stack.call("POST", "/auth/guest", self.key)["accessToken"]
            self.stack.call("POST", f"{self.path}/enter", token, X_Fingerprint="fp_somebody_ahead")

    def count(self, name: str, page: Page) -> Any:
        """A number that the distribution shows of itself, which is a second old at most."""
        page.wait_for_timeout(1_200)
        return self.stack.call("GET", self.path, self.key)[name]


def claims(token: str) -> Any:
    """What an admission token says; its signature is the server's business."""
    return jwt.decode(token, options={"verify_signature": False})


def launch(stack: Stack, slug: str, plural: str, distribution: dict[str, Any], **settings: Any) -> Hosted:
    """An organization of its own with one experience."""
    sequence = {
        "slug": "everyone",
        "name": "Everyone",
        plural: [{"slug": "it", "openAt": "now-1m", **distribution}],
    }
    found = stack.apply(
        {
            "organization": {"slug": slug, "name": slug.title(), "returnHosts": ["localhost"], **settings},
            "experiences": [{"slug": f"{slug}-drop", "name": "The drop", "sequences": [sequence]}],
        }
    )
    keys = found["organization"]
    made = found["experiences"][f"{slug}-drop"]["sequences"]["everyone"][plural]["it"]
    path = "/timed-releases" if plural == "timedReleases" else f"/{plural}"
    url = f"{stack.url}/e/{slug}-drop?returnUrl={SHOP}"
    return Hosted(stack, url, f"{path}/{made}", keys["publishableKey"], keys["secretKey"])


def open_shop(page: Page) -> None:
    """The shop answers in this browser."""
    page.context.route(
        "http://localhost:9/**", lambda route: route.fulfill(body="<title>Shop</title>The shop")
    )


def heading(page: Page, words: str) -> None:
    """The page says this, and nothing on it keeps anybody out."""
    expect(page.get_by_role("heading", level=1, name=words, exact=True)).to_be_visible()
    require_accessible(page)


def require_accessible(page: Page, *tags: str) -> None:
    """No serious finding of axe-core's, by its usual rules or those of these tags."""
    if not AXE.exists():
        pytest.skip("axe-core is not there: npm ci in sdk/")
    page.evaluate(AXE.read_text())
    options = {"resultTypes": ["violations"], **({"runOnly": tags} if tags else {})}
    found = page.evaluate("options => axe.run(document, options)", options)
    findings = [
        (one["id"], [node["target"] for node in one["nodes"]], one["help"])
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]
    assert not findings, (page.url, findings)
