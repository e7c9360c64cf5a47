"""An auction over HTTP: two guests bid, it closes and settles itself, and the winner pays what was due.

Standard library only. `bid_on_one.py BASE_URL` reads what `apply --json` printed from standard input; exits 1
with what was not as promised.
"""

import json
import sys
import time

from admit_one import Client, NotAsPromised, expect

_SECONDS = 40.0


def main(base_url: str) -> None:
    """From the first bid to a valid token. Raises NotAsPromised."""
    applied = json.load(sys.stdin)
    way = applied["experiences"]["sneaker-drop"]["sequences"]["everyone"]
    path, key = f"/auctions/{way['auctions']['checked']}", applied["organization"]["publishableKey"]
    front = Client(base_url, {"X-Publishable-Key": key})
    proxy, plain = (_bidder(base_url, front) for _ in range(2))
    device = {"X-Fingerprint": "fp_ci00000000"}
    first = {"amount": "100.00", "maxAmount": "200.00"}
    expect(proxy.get_through("POST", f"{path}/bid", first, **device), "currentHighBid", "100.00")
    before = front.get_through("GET", path)["closeAt"]
    time.sleep(3)  # into the window in which a bid moves the closing
    expect(plain.get_through("POST", f"{path}/bid", {"amount": "120"}, **device), "bidStatus", "OUTBID")
    deadline = time.monotonic() + _SECONDS
    while (after := front.get_through("GET", path))["status"] != "SETTLED" and time.monotonic() < deadline:
        time.sleep(0.5)
    if after["closeAt"] <= before:
        raise NotAsPromised(f"the closing did not move: {before}, {after['closeAt']}")
    expect(plain.get_through("GET", f"{path}/status"), "denyReason", "OUTBID")
    won = proxy.get_through("GET", f"{path}/status")
    expect(won, "winningAmount", "125.00")
    expect(won, "status", "ADMITTED")


def _bidder(base_url: str, front: Client) -> Client:
    guest = front.get_through("POST", "/auth/guest", {})
    return Client(base_url, {"Authorization": f"Bearer {guest['accessToken']}"})


if __name__ == "__main__":
    began = time.monotonic()
    try:
        main(*sys.argv[1:])
    except (NotAsPromised, OSError, KeyError, ValueError) as problem:
        sys.exit(f"bid_on_one: {type(problem).__name__}: {problem}")
    sys.stdout.write(f"bid, closed and won in {time.monotonic() - began:.1f} s\n")
