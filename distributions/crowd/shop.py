"""The shop's server: checks an admission token offline, then asks, then completes."""

import secrets
from typing import Any

import jwt
from jwt.algorithms import OKPAlgorithm

from distributions.crowd.wire import Wire

LEEWAY_SECONDS = 5


class TokenWrong(Exception):
    """A token that a shop checking by the public keys alone would not take."""


class Shop:
    """Knows the secret key and the public keys."""

    def __init__(self, wire: Wire, path: str, organization_id: str, secret_key: str) -> None:
        self._wire = wire
        self._path = path
        self._distribution_id = path.rpartition("/")[2]
        self._organization_id = organization_id
        self._headers = {"Authorization": f"Bearer {secret_key}"}
        self._keys: dict[str, Any] = {}

    async def learn_keys(self) -> None:
        """Fetch the public keys, as a shop does at its start."""
        found = await self._wire.ask("jwks", "GET", "/.well-known/jwks.json", {})
        self._keys = {key["kid"]: OKPAlgorithm.from_jwk(key) for key in found["keys"]}

    def read_offline(self, token: str, consumer_id: str) -> str:
        """The admission's name (`jti`), by the public keys alone. Raises TokenWrong."""
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self._keys[header["kid"]],
                algorithms=["EdDSA"],
                audience=self._organization_id,
                leeway=LEEWAY_SECONDS,
            )
            expected = ("admission+jwt", consumer_id, self._distribution_id)
            if (header["typ"], claims["sub"], claims["distributionId"]) != expected:
                raise TokenWrong("It is of another kind, consumer or distribution.")
            return str(claims["jti"])
        except (jwt.PyJWTError, KeyError) as problem:
            raise TokenWrong(repr(problem)) from None

    async def name_customer(self) -> str:
        """An exchange code for a customer of the shop who was never here before."""
        body = {"provider": "crowd", "issuer": "https://crowd.example.com", "subject": secrets.token_hex(12)}
        path = "/api/v1/auth/external/authorize"
        found = await self._wire.ask("authorize", "POST", path, self._headers, body)
        return str(found["exchangeCode"])

    async def validate(self, consumer_id: str, token: str, fingerprint: str) -> Any:
        """The API's verdict on a token, with the shopper's fingerprint passed on."""
        headers = {**self._headers, "X-Fingerprint": fingerprint}
        return await self._move("validate", headers, {"consumerId": consumer_id, "token": token})

    async def complete(self, consumer_id: str, order_id: str) -> Any:
        """Tell that the consumer is done."""
        return await self._move("complete", self._headers, {"consumerId": consumer_id, "orderId": order_id})

    async def _move(self, verb: str, headers: dict[str, str], body: dict[str, Any]) -> Any:
        return await self._wire.ask(verb, "POST", f"{self._path}/{verb}", headers, body)
