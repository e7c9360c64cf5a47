"""The API that all kinds share: one base, and a mixin for each verb of the contract.

A kind's viewset lists its verbs and says how it presents itself. The hot verbs ask Redis once for
session, rate and standing (`live.pass_gate`); without Redis, PostgreSQL answers.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from consumers import conditions, identities, sessions
from consumers.authentication import Credential
from distributions.core import admission, bodies, catalog, fingerprints, following, lifecycle, live, work
from distributions.core.bodies import (
    CompleteSerializer,
    ConsumerSerializer,
    DenySerializer,
    EnterSerializer,
    ValidateSerializer,
    VerdictSerializer,
)
from distributions.core.models import Distribution, Kind
from distributions.core.permissions import PERMISSIONS
from distributions.core.standing import Standing
from distributions.core.status import present
from fanfare import errors, metrics
from fanfare.api import ApiViewSet, NothingSerializer, parse
from fanfare.limits import limit_for
from fanfare.schema import FINGERPRINT, WORK, describes

STATUS = "status_serializer"  # the attribute that holds a kind's DistributionStatus
VERDICT = "verdict_serializer"
COMPLETE, DENY = "complete_body", "deny_body"  # what a kind takes with these verbs
ENTERING = ("enter", "bid", "book", "rebook")  # what one must meet the sequence's conditions for


class DistributionViewSet(ApiViewSet):
    """One kind of distribution: loads it for the credential's organization before any verb runs."""

    kind: ClassVar[Kind]
    prefix: ClassVar[str]
    rules: ClassVar[ModuleType]
    status_serializer: ClassVar[type[Serializer[Any]]]
    verdict_serializer: ClassVar[type[Serializer[Any]]] = VerdictSerializer
    complete_body: ClassVar[type[Serializer[Any]]] = CompleteSerializer
    deny_body: ClassVar[type[Serializer[Any]]] = DenySerializer
    without_fingerprint: ClassVar[tuple[str, ...]] = ()  # verbs that take one and don't ask for it
    distribution: Distribution
    gate: live.Gate

    def get_permissions(self) -> Any:
        return [PERMISSIONS[self.action]()] if self.action in PERMISSIONS else []

    @property
    def title(self) -> str:
        """What messages call one: `Queue`."""
        return str(self.kind.label)

    @property
    def credential(self) -> Credential:
        """Who asks; permissions made sure that there is one."""
        assert isinstance(self.request.auth, Credential)
        return self.request.auth

    @property
    def consumer_id(self) -> str:
        """The consumer who asks, on endpoints that need one."""
        assert self.credential.consumer_id is not None
        return self.credential.consumer_id

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.is_verb:
            return
        self.require_few()
        try:
            self.distribution = self._load(kwargs["id"])
        except errors.NotFound:
            self._pass_gate("", 0)  # counted all the same, and that the session has ended is said first
            raise
        self._pass_gate(self.distribution.pk, self.distribution.tally.frozen or 0)
        if self.action in ENTERING:
            self._require_conditions()
            work.require(self.distribution, self.consumer_id, request.headers.get("X-Altcha"))

    def require_few(self) -> None:
        """What a kind asks before a request counts against the organization's limit. Raises RateLimited."""

    def _load(self, distribution_id: str) -> Distribution:
        organization_id = self.credential.organization.id
        return catalog.get(distribution_id, organization_id, self.kind, self.prefix, self.title)

    def _pass_gate(self, distribution_id: str, frozen: int) -> None:
        """On a hot verb, session, rate and standing in one trip; raises NotAuthenticated or RateLimited.

        Where a key is enough there may be no consumer; then the rate alone is counted.
        """
        category = self.rate_category
        if category is None:
            return
        organization = self.credential.organization
        self.gate = live.pass_gate(
            session_id=self.credential.session_id or "",
            consumer_id=self.credential.consumer_id or "",
            distribution_id=distribution_id,
            frozen=frozen,
            rate_key=(organization.id, category),
            limit=limit_for(category, organization.rate_limits),
            now=self.now,
        )
        self.request._request.usage = self.gate.usage  # type: ignore[attr-defined]
        if not self.credential.session_id:
            pass
        elif self.gate.is_alive is None:
            sessions.require_alive(self.credential.session_id, now=self.now)
        elif not self.gate.is_alive:
            raise errors.NotAuthenticated("The session has ended.")
        if self.gate.usage is None:
            metrics.UNLIMITED.inc()
        else:
            self.gate.usage.require(self.now)

    def _require_conditions(self) -> None:
        """Raise SignInRequired, AccessCodeRequired or NotEligible."""
        is_guest = self.credential.is_guest
        if is_guest and not self.distribution.supports_guest:
            raise errors.SignInRequired("Guests can't enter here. Sign in first.")
        conditions.require(self.distribution.sequence, self.consumer_id, is_guest=is_guest)

    def fingerprint(self) -> bytes | None:
        """The device's fingerprint as stored. Raises FingerprintRequired, where the verb needs one."""
        given = self.request.headers.get("X-Fingerprint")
        if self.action in self.without_fingerprint and given is None:
            return None
        return fingerprints.read(given, self.credential.organization)

    def answer(self, standing: Standing, *, with_token: bool = True) -> Response:
        """The DistributionStatus of a standing as it is now, with what the kind adds."""
        current = self.rules.standing_at(self.distribution, standing, self.now)
        follows = following.of_standing(self.distribution, current, self.rules, now=self.now)
        extra = follows | self.present_standing(current)
        return Response(present(self.distribution, current, with_token=with_token, **extra))

    def handle_exception(self, exc: Exception) -> Response:
        """A refusal of who came too late says where to go on."""
        if self.action in ENTERING and isinstance(exc, following.TOO_LATE):
            exc.extra |= following.of_refusal(self.distribution, exc, now=self.now)
        return super().handle_exception(exc)

    def present_standing(self, standing: Standing) -> dict[str, Any]:
        """The fields that the kind adds to a status."""
        return {}

    def may_be_followed(self, standing: Standing) -> bool:
        """Whether the consumer may have entered again since then."""
        return standing.may_enter_again

    def which(self, consumer_id: str, body: dict[str, Any]) -> int | None:
        """Which of a consumer's participations the shop means, where there may be several: the one that was
        completed with the same order; None: the last.
        """
        done = lifecycle.completed_by(self.distribution, consumer_id, body.get("order_id", ""))
        return None if done is None else done.id

    def decided(
        self, consumer_id: str, seen: Distribution | None = None, which: int | None = None
    ) -> Standing | None:
        """How they stand where the clock or a draw has decided it, though nobody wrote it down; else None.

        `seen`: the distribution under a lock, where one is held. Raises NotEntered.
        """
        distribution = seen or self.distribution
        found = lifecycle.latest(distribution, consumer_id, which)
        current: Standing = self.rules.standing_at(distribution, found, self.now)
        return current if current.status != found.status else None

    def for_person(self, consumer_id: str, move: Callable[[str], Standing]) -> Standing:
        """Make a move for this organization's consumer, by whatever id they had. Raises NotFound.

        A guest who turns out to be somebody just then is found again as that one.
        """
        organization_id = self.credential.organization.id
        person = identities.find(consumer_id, organization_id).id
        try:
            return move(person)
        except errors.FanfareError:
            by_now = identities.find(consumer_id, organization_id).id
            if by_now == person:
                raise
        return move(by_now)


class Enter(DistributionViewSet):
    """`POST …/enter`."""

    @describes(STATUS, FINGERPRINT, WORK, body=EnterSerializer, refusals=bodies.refused_entries)
    @action(detail=True, methods=["post"])
    def enter(self, request: Request, id: str) -> Response:
        """Enter, or find the participation there is."""
        body = parse(EnterSerializer, request) if request.data else {}
        standing = self.rules.enter(
            self.distribution,
            self.consumer_id,
            now=self.now,
            actor=self.credential.actor,
            fingerprint=self.fingerprint(),
            metadata=body.get("metadata"),
        )
        return self.answer(standing)


class Leave(DistributionViewSet):
    """`POST …/leave`."""

    @describes(STATUS, body=NothingSerializer, refusals=bodies.refused_leaves)
    @action(detail=True, methods=["post"])
    def leave(self, request: Request, id: str) -> Response:
        """Give up the place or the admission."""
        parse(NothingSerializer, request)
        decided = self.decided(self.consumer_id)
        if decided is not None:
            raise errors.IllegalMove(f"It is {decided.status}.", status=decided.status)
        standing = self.rules.leave(
            self.distribution, self.consumer_id, now=self.now, actor=self.credential.actor
        )
        return self.answer(standing)


class Status(DistributionViewSet):
    """`GET …/status`: from Redis, or from PostgreSQL, which then repairs Redis."""

    @describes(STATUS, refusals=bodies.refused_reads)
    @action(detail=True, methods=["get"])
    def status(self, request: Request, id: str) -> Response:
        """How the consumer stands."""
        standing = self.gate.standing
        # Should Redis have missed that they entered again, nobody but PostgreSQL knows.
        if standing is None or self.may_be_followed(standing.at(self.now)):
            standing = lifecycle.republish(
                self.distribution, lifecycle.latest(self.distribution, self.consumer_id)
            )
        return self.answer(standing)


class Admit(DistributionViewSet):
    """`POST …/admit`."""

    @describes(STATUS, body=ConsumerSerializer, refusals=bodies.refused_admissions)
    @action(detail=True, methods=["post"])
    def admit(self, request: Request, id: str) -> Response:
        """Admit a consumer out of turn, entering them if need be."""
        body = parse(ConsumerSerializer, request)
        trail = {"now": self.now, "actor": self.credential.actor}
        standing = self.for_person(
            body["consumer_id"], lambda person: self.rules.admit(self.distribution, person, **trail)
        )
        return self.answer(standing)


class Complete(DistributionViewSet):
    """`POST …/complete`."""

    @describes(STATUS, body=COMPLETE, refusals=bodies.refused_moves)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, id: str) -> Response:
        """The consumer is done: the admission is used."""
        body = parse(self.complete_body, request)
        order_id = body.get("order_id", "")
        more: Any = {"now": self.now, "actor": self.credential.actor, "order_id": order_id}

        def complete(person: str) -> Standing:
            which = self.which(person, body)
            decided = self.decided(person, which=which)
            if decided is not None:
                raise errors.IllegalMove(f"It is {decided.status}.", status=decided.status)
            return lifecycle.complete(self.distribution, person, which=which, **more)

        standing = self.for_person(body["consumer_id"], complete)
        return self.answer(standing, with_token=False)


class Deny(DistributionViewSet):
    """`POST …/deny`."""

    @describes(STATUS, body=DENY, refusals=bodies.refused_moves)
    @action(detail=True, methods=["post"])
    def deny(self, request: Request, id: str) -> Response:
        """Turn a consumer away."""
        body = parse(self.deny_body, request)
        more: Any = {"now": self.now, "actor": self.credential.actor, "reason": body["reason"]}

        def deny(person: str) -> Standing:
            with self.rules.adjusting(self.distribution) as seen:
                which = self.which(person, body)
                decided = self.decided(person, seen, which)
                is_done = decided is not None and not decided.may_enter_again
                return decided if decided and is_done else lifecycle.deny(seen, person, which=which, **more)

        standing = self.for_person(body["consumer_id"], deny)
        return self.answer(standing, with_token=False)


class Validate(DistributionViewSet):
    """`POST …/validate`."""

    @describes(VERDICT, FINGERPRINT, body=ValidateSerializer, refusals=bodies.refused_validations)
    @action(detail=True, methods=["post"])
    def validate(self, request: Request, id: str) -> Response:
        """Whether an admission token admits this consumer, here and now."""
        body = parse(ValidateSerializer, request)
        verdict = admission.validate(
            self.distribution,
            consumer_id=body["consumer_id"],
            token=body["token"],
            fingerprint=self.fingerprint(),
            now=self.now,
        )
        return Response(self.present_verdict(verdict))

    def present_verdict(self, verdict: admission.Verdict) -> dict[str, Any]:
        """The body of the answer; a kind may add to it."""
        told = {name: value for name, value in vars(verdict).items() if value not in ("", None)}
        told.pop("participation_id", None)
        return told
