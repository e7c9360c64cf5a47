"""`returnUrl`: the page leads on to the organization's own hosts, and nowhere else."""

from urllib.parse import quote

import pytest

from experiences import returning
from experiences.models import Organization
from tests.pages.visitor import page, told
from tests.world import World

HOSTS = ["shop.example.com", "*.example.org", "localhost"]


def way(address: str) -> object:
    """What the page makes of it."""
    return told(page(f"/e/drop?returnUrl={quote(address, safe='')}"))["returnUrl"]


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example.com",
        "https://shop.example.com/",
        "https://SHOP.example.com/cart?a=1&b=%20#top",
        "https://shop.example.com?next=https://evil.example/",
        "https://a.example.org/x",
        "https://a.b.example.org/x",
        "http://localhost:3000/shop",
    ],
)
def test_to_its_own_hosts(world: World, address: str) -> None:
    Organization.objects.update(return_hosts=HOSTS)
    assert way(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example/",
        "https:evil.example",
        "https:/shop.example.com",
        "https:///shop.example.com",
        "https://evil.example/",
        "https://evil.example/shop.example.com",
        "https://evil.example#https://shop.example.com",
        "https://shop.example.com.evil.example/",
        "https://shop.example.com@evil.example/",
        "https://evil@shop.example.com/",
        "https://evil:pw@shop.example.com/",
        "https://shop.example.com:8443/",
        "https://shop.example.com\\@evil.example/",
        "https:\\\\shop.example.com/",
        "https://shop.example.com/\\evil",
        "https://shop.example.com%2eevil.example/",
        "https://shop\u3002example.com/",
        "https://shop.example.com\uff0eevil.example/",
        "https://xn--shop.example.com/",
        "https://shop.example.com./",
        "https://example.org/",
        "https://.example.org/",
        "https://a..example.org/",
        "https://aexample.org/",
        "https://*.example.org/",
        "http://shop.example.com/",
        "http://localhost.evil.example/",
        "http://127.0.0.1/",
        "javascript:alert(1)",
        "javascript://shop.example.com/%0aalert(1)",
        "data:text/html,x",
        " https://shop.example.com/",
        "https://shop.example.com/\n",
        "https://shop.example.com/\tx",
        "https://[::1]/",
        "/shop",
        "",
        "https://shop.example.com/" + "a" * 2_000,
    ],
)
def test_nowhere_else(world: World, address: str) -> None:
    Organization.objects.update(return_hosts=HOSTS)
    assert way(address) is None


def test_nowhere_without_hosts(world: World) -> None:
    assert way("https://shop.example.com/") is None


def test_what_is_added_goes_into_the_query() -> None:
    add = returning.with_parameters
    assert add("https://a.example/", t="x y&") == "https://a.example/?t=x+y%26"
    assert add("https://a.example/?a=1#end", t="1") == "https://a.example/?a=1&t=1#end"
