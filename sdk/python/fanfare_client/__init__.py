'''Fanfare for the shop's own server: who may buy, and who has bought.

The browser brings its consumer's id, the admission token and its fingerprint; the secret key stays here.

    import os

    from fanfare_client import Client, FanfareError, TokenInvalid

    fanfare = Client(os.environ["FANFARE_SHOP_KEY"], os.environ["FANFARE_URL"])  # one for all threads


    def show_checkout(queue_id: str, consumer_id: str, token: str) -> bool:
        """On every page: checked by itself, without a request to Fanfare."""
        try:
            fanfare.check(token, distribution_id=queue_id, consumer_id=consumer_id)
        except TokenInvalid:  # or TokenExpired, which is one
            return False
        return True


    def buy(queue_id: str, consumer_id: str, token: str, fingerprint: str, order_id: str) -> str:
        """Before money moves: Fanfare's own word. What was bought is told, again if need be."""
        try:
            verdict = fanfare.validate(queue_id, consumer_id, token, fingerprint)
            if not verdict.valid:
                return f"Sorry: {verdict.message}"
            fanfare.complete(queue_id, consumer_id, order_id=order_id)
        except FanfareError as problem:
            return f"Please try again: {problem}"
        return "Thank you!"

The id says what it is of: a queue, draw, auction, timed release or appointment. `AsyncClient` has the same
methods, awaited. Calls that may be repeated are tried three times at most, with pauses.
'''

from fanfare_client.client import AsyncClient, Client, Options
from fanfare_client.errors import (
    FanfareError,
    IllegalMove,
    NotAuthenticated,
    NotFound,
    RateLimited,
    TokenExpired,
    TokenInvalid,
    Unavailable,
    Unexpected,
)
from fanfare_client.tokens import Admission
from fanfare_client.wire import Consumer, ExchangeCode, Standing, Verdict

__all__ = [
    "Admission",
    "AsyncClient",
    "Client",
    "Consumer",
    "ExchangeCode",
    "FanfareError",
    "IllegalMove",
    "NotAuthenticated",
    "NotFound",
    "Options",
    "RateLimited",
    "Standing",
    "TokenExpired",
    "TokenInvalid",
    "Unavailable",
    "Unexpected",
    "Verdict",
]
