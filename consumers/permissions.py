"""What an endpoint needs: P (a key), C (a consumer), S (the secret key), as the contract writes it.

Each raises the contract's refusal in the contract's order instead of a bare "no"; `needs` is its letter.
"""

from typing import Any, ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from consumers import sessions
from consumers.authentication import Credential
from fanfare import errors


def _credential(request: Request) -> Credential:
    if not isinstance(request.auth, Credential):
        raise errors.NotAuthenticated
    return request.auth


class HasKey(BasePermission):
    """P: a publishable key, or what is worth more: a secret key or a living consumer session."""

    needs: ClassVar[str] = "P"

    def has_permission(self, request: Request, view: Any) -> bool:
        credential = _credential(request)
        if credential.session_id:
            sessions.require_alive(credential.session_id, now=view.now)
        return True


class IsConsumer(BasePermission):
    """C: an access token whose session lives."""

    needs: ClassVar[str] = "C"

    def has_permission(self, request: Request, view: Any) -> bool:
        credential = _credential(request)
        if credential.consumer_id is None:
            raise errors.ConsumerRequired
        sessions.require_alive(credential.session_id, now=view.now)
        return True


class IsConsumerAtGate(BasePermission):
    """C, for the hot endpoints of distributions: that the session lives is asked in the one Redis
    round trip that does their work (`distributions.core.live.pass_gate`)."""

    needs: ClassVar[str] = "C"

    def has_permission(self, request: Request, view: Any) -> bool:
        if _credential(request).consumer_id is None:
            raise errors.ConsumerRequired
        return True


class HasSecretKey(BasePermission):
    """S: the shop's server, alone."""

    needs: ClassVar[str] = "S"

    def has_permission(self, request: Request, view: Any) -> bool:
        credential = _credential(request)
        if credential.session_id:  # that a token is no longer good is said first
            sessions.require_alive(credential.session_id, now=view.now)
        if credential.secret is None:
            raise errors.SecretKeyRequired
        return True
