"""From headers to a `Credential`: which organization, by which key, which consumer.

A credential that is there but wrong, or two of different organizations, are refused here (401). Which
kind an endpoint needs is said by its permission (`consumers.permissions`).
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from consumers import access_tokens, signing
from experiences import events, keys
from experiences.models import ApiKey, KeyKind, Organization
from fanfare import clock
from fanfare.errors import NotAuthenticated
from fanfare.memo import Memo


@dataclass(frozen=True)
class Credential:
    """Who is asking. `secret` and `publishable` are keys; the last three belong to an access token."""

    organization: Organization
    publishable: ApiKey | None = None
    secret: ApiKey | None = None
    consumer_id: str | None = None
    session_id: str = ""
    is_guest: bool = False

    @property
    def guest_id(self) -> str | None:
        """The guest who asks; None when it is no guest, or nobody."""
        return self.consumer_id if self.is_guest else None

    @property
    def actor(self) -> str:
        """Who stands in the trace for what this credential does."""
        if self.secret:
            return events.by_key(self.secret.id)
        return events.by_consumer(self.consumer_id or "")


class CredentialAuthentication(BaseAuthentication):
    """`X-Publishable-Key` and `Authorization: Bearer <access token or secret key>`.

    Leaves `organization` and `key_mode` on Django's request, for CORS and rate limits.
    """

    def authenticate(self, request: Request) -> tuple[None, Credential] | None:
        http: Any = request._request
        publishable = _publishable(request.META)
        if publishable is not None:  # noted first: a browser is to read why its token was refused
            http.organization, http.key_mode = publishable.organization, publishable.mode
        credential = _credential(publishable, request.META.get("HTTP_AUTHORIZATION"), clock.now())
        if credential is None:
            return None
        http.organization = credential.organization
        return None, credential

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _publishable(meta: dict[str, Any]) -> ApiKey | None:
    text = meta.get("HTTP_X_PUBLISHABLE_KEY")
    return None if text is None else _key(text, KeyKind.PUBLISHABLE)


def _credential(publishable: ApiKey | None, bearer: str | None, now: dt.datetime) -> Credential | None:
    """What both headers say together, None without any. Raises NotAuthenticated."""
    credential = None if bearer is None else _bearer(bearer, now)
    if credential is None:
        return Credential(publishable.organization, publishable) if publishable else None
    if publishable is None:
        return credential
    if publishable.organization_id != credential.organization.id:
        raise NotAuthenticated("The key and the token are of different organizations.")
    return Credential(**{**vars(credential), "publishable": publishable})


def _bearer(header: str, now: dt.datetime) -> Credential:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("Send Authorization: Bearer and an access token or a secret key.")
    if token.startswith("sk_"):
        secret = _key(token, KeyKind.SECRET)
        return Credential(secret.organization, secret=secret)
    try:
        claims = access_tokens.read(token, now=now)
    except signing.TokenExpired:
        raise NotAuthenticated("The access token has expired.", code="TOKEN_EXPIRED") from None
    except signing.TokenInvalid:
        raise NotAuthenticated("The access token is not valid.") from None
    organization = _organizations.get(claims.organization_id)
    if organization is None:
        raise NotAuthenticated("The access token is not valid.")
    return Credential(
        organization,
        consumer_id=claims.consumer_id,
        session_id=claims.session_id,
        is_guest=claims.is_guest,
    )


def _key(text: str, kind: KeyKind) -> ApiKey:
    key = keys.find(text, kind)
    if key is None:
        raise NotAuthenticated(f"The {kind} key is not valid.")
    return key


def _load_organization(organization_id: str) -> Organization | None:
    return Organization.objects.filter(pk=organization_id).first()


_organizations: Memo[str, Organization] = Memo(_load_organization)
