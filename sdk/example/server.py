"""The shop's own server: `POST /shop/buy` sells the pair to whoever was admitted.

It knows the secret key, FANFARE_SHOP_KEY, which never reaches a browser. Port: SHOP_SERVER_PORT, else 3001.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fanfare_client import Client, FanfareError, RateLimited, TokenInvalid, Unavailable

QUEUE = os.environ["VITE_QUEUE"]
LONGEST = 10_000
fanfare = Client(os.environ["FANFARE_SHOP_KEY"], os.environ["VITE_FANFARE_URL"])


def buy(token: str, consumer: str, fingerprint: str) -> tuple[int, str]:
    """Sell; the HTTP status and what the shopper reads. One pair each: the order is named after them."""
    try:
        fanfare.check(token, distribution_id=QUEUE, consumer_id=consumer)  # without a request
        verdict = fanfare.validate(QUEUE, consumer, token, fingerprint)  # Fanfare's own word
        if not verdict.valid:
            return 403, f"Sorry: {verdict.message}"
        # Here the shop would take the money.
        fanfare.complete(QUEUE, consumer, order_id=f"order-{consumer}")
    except TokenInvalid:
        return 403, "Sorry: this is not an admission, or no longer."
    except (RateLimited, Unavailable):
        return 503, "Please try again in a moment."
    except FanfareError as problem:
        return 403, f"Sorry: {problem}"
    return 200, "It's yours. Thank you!"


class Shop(BaseHTTPRequestHandler):
    """One address."""

    def do_POST(self) -> None:
        """Answer JSON, `{"message": …}`."""
        if self.path != "/shop/buy":
            return self._answer(404, "There is nothing here.")
        try:
            length = int(self.headers.get("Content-Length", 0))
            asked = json.loads(self.rfile.read(length if 0 <= length <= LONGEST else 0))
            wanted = [asked[name] for name in ("token", "consumerId", "fingerprint")]
        except (ValueError, TypeError, KeyError, RecursionError):
            return self._answer(400, "This is not an order.")
        if not all(isinstance(value, str) for value in wanted):
            return self._answer(400, "This is not an order.")
        return self._answer(*buy(*wanted))

    def _answer(self, status: int, message: str) -> None:
        body = json.dumps({"message": message}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("SHOP_SERVER_PORT", "3001"))), Shop).serve_forever()
