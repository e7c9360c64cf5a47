"""The OpenAPI schema: complete, valid, quiet, served to everyone, and drawn without any outside host."""

import io
import re
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from fanfare import schema
from tests.contract import conformance

COMMON = {
    "P": {"Authentication required"},
    "C": {"Authentication required", "Consumer ID is required"},
    "S": {"Authentication required", "Secret key required"},
}
POSTED = {"Validation failed", "Length required", "Body too large", "Unsupported media type"}
WORK = {"Proof of work required", "Proof of work invalid"}
BOOKED = {
    "Appointment not found",
    "FINGERPRINT_REQUIRED",
    *WORK,
    "Sign-in required",
    "Access code required",
    "Not eligible",
    "Appointment is not open yet",
    "Appointment is closed",
    "Slot not found",
    "Slot is full",
    "Booking limit reached",
    "Rate limit exceeded",
}
# (method, path): operation, letter, and the contract's errors beside the common ones.
CONTRACT: dict[tuple[str, str], tuple[str, str, set[str]]] = {
    ("post", "/auth/guest"): ("authGuest", "P", {"Rate limit exceeded"}),
    ("post", "/auth/refresh"): ("authRefresh", "P", {"invalid refresh token", "Rate limit exceeded"}),
    ("post", "/auth/logout"): ("authLogout", "C", {"Rate limit exceeded"}),
    ("post", "/auth/otp/request"): ("authOtpRequest", "P", {"Rate limit exceeded"}),
    ("post", "/auth/otp/verify"): (
        "authOtpVerify",
        "P",
        {"otp_invalid", "otp_expired", "Rate limit exceeded"},
    ),
    ("post", "/auth/external/authorize"): ("authExternalAuthorize", "S", {"Rate limit exceeded"}),
    ("post", "/auth/external/exchange"): (
        "authExternalExchange",
        "P",
        {"invalid_exchange_code", "exchange_code_expired", "Rate limit exceeded"},
    ),
    ("get", "/consumers/me"): ("consumersMe", "C", set()),
    ("get", "/consumers/{id}"): ("consumersGet", "S", {"Consumer not found"}),
    ("get", "/experiences/{id}"): ("experiencesGet", "P", {"Experience not found"}),
    ("post", "/experiences/{id}/enter"): (
        "experiencesEnter",
        "C",
        {
            "Experience not found",
            "Sign-in required",
            "Access code required",
            "Not eligible",
            "Rate limit exceeded",
        },
    ),
    ("delete", "/experiences/{id}/leave"): (
        "experiencesLeave",
        "C",
        {"Experience not found", "Rate limit exceeded"},
    ),
    ("get", "/organizations/current"): ("organizationsCurrent", "P", set()),
    ("get", "/queues/{id}"): ("queuesGet", "P", {"Queue not found"}),
    ("post", "/queues/{id}/enter"): (
        "queuesEnter",
        "C",
        {
            "Queue not found",
            "FINGERPRINT_REQUIRED",
            *WORK,
            "Sign-in required",
            "Access code required",
            "Not eligible",
            "Queue is not open yet",
            "Queue is full",
            "Queue is closed",
            "Rate limit exceeded",
        },
    ),
    ("post", "/queues/{id}/leave"): (
        "queuesLeave",
        "C",
        {"Queue not found", "Consumer not in queue", "Illegal transition"},
    ),
    ("get", "/queues/{id}/status"): (
        "queuesStatus",
        "C",
        {"Queue not found", "Consumer not in queue", "Rate limit exceeded"},
    ),
    ("post", "/queues/{id}/admit"): (
        "queuesAdmit",
        "S",
        {
            "Queue not found",
            "Consumer not found",
            "Queue is not open yet",
            "Queue is closed",
            "Illegal transition",
        },
    ),
    ("post", "/queues/{id}/complete"): (
        "queuesComplete",
        "S",
        {"Queue not found", "Consumer not found", "Consumer not in queue", "Illegal transition"},
    ),
    ("post", "/queues/{id}/deny"): (
        "queuesDeny",
        "S",
        {"Queue not found", "Consumer not found", "Consumer not in queue", "Illegal transition"},
    ),
    ("post", "/queues/{id}/validate"): (
        "queuesValidate",
        "S",
        {"Queue not found", "FINGERPRINT_REQUIRED", "DEVICE_MISMATCH"},
    ),
    ("get", "/queues/{id}/proof"): (
        "queuesProof",
        "P",
        {"Queue not found", "Proof not found", "Validation failed", "Rate limit exceeded"},
    ),
    ("get", "/queues/{id}/proof/file"): (
        "queuesProofFile",
        "P",
        {"Queue not found", "Proof not found", "Rate limit exceeded"},
    ),
    ("get", "/draws/{id}"): ("drawsGet", "P", {"Draw not found"}),
    ("post", "/draws/{id}/enter"): (
        "drawsEnter",
        "C",
        {
            "Draw not found",
            "FINGERPRINT_REQUIRED",
            *WORK,
            "Sign-in required",
            "Access code required",
            "Not eligible",
            "Draw is not open yet",
            "Draw is full",
            "Draw is closed",
            "Rate limit exceeded",
        },
    ),
    ("post", "/draws/{id}/leave"): (
        "drawsLeave",
        "C",
        {"Draw not found", "Consumer not in draw", "Illegal transition", "Draw is closed"},
    ),
    ("get", "/draws/{id}/status"): (
        "drawsStatus",
        "C",
        {"Draw not found", "Consumer not in draw", "Rate limit exceeded"},
    ),
    ("post", "/draws/{id}/complete"): (
        "drawsComplete",
        "S",
        {"Draw not found", "Consumer not found", "Consumer not in draw", "Illegal transition"},
    ),
    ("post", "/draws/{id}/deny"): (
        "drawsDeny",
        "S",
        {"Draw not found", "Consumer not found", "Consumer not in draw", "Illegal transition"},
    ),
    ("post", "/draws/{id}/validate"): (
        "drawsValidate",
        "S",
        {"Draw not found", "FINGERPRINT_REQUIRED", "DEVICE_MISMATCH"},
    ),
    ("get", "/draws/{id}/proof"): (
        "drawsProof",
        "P",
        {"Draw not found", "Proof not found", "Validation failed", "Rate limit exceeded"},
    ),
    ("get", "/draws/{id}/proof/file"): (
        "drawsProofFile",
        "P",
        {"Draw not found", "Proof not found", "Rate limit exceeded"},
    ),
    ("get", "/auctions/{id}"): ("auctionsGet", "P", {"Auction not found"}),
    ("post", "/auctions/{id}/bid"): (
        "auctionsBid",
        "C",
        {
            "Auction not found",
            "FINGERPRINT_REQUIRED",
            *WORK,
            "Sign-in required",
            "Access code required",
            "Not eligible",
            "Auction is not open yet",
            "Auction is closed",
            "Bid must be higher than current bid",
            "Bid must meet minimum increment",
            "Idempotency key reused",
            "Illegal transition",
            "Rate limit exceeded",
        },
    ),
    ("get", "/auctions/{id}/status"): (
        "auctionsStatus",
        "C",
        {"Auction not found", "Consumer not in auction", "Rate limit exceeded"},
    ),
    ("get", "/auctions/{id}/highest-bid"): (
        "auctionsHighestBid",
        "P",
        {"Auction not found", "Rate limit exceeded"},
    ),
    ("get", "/auctions/{id}/bids"): ("auctionsBids", "C", {"Auction not found", "Validation failed"}),
    ("get", "/auctions/{id}/bids/history"): (
        "auctionsHistory",
        "C",
        {"Auction not found", "Validation failed"},
    ),
    ("post", "/auctions/{id}/complete"): (
        "auctionsComplete",
        "S",
        {"Auction not found", "Consumer not found", "Consumer not in auction", "Illegal transition"},
    ),
    ("post", "/auctions/{id}/deny"): (
        "auctionsDeny",
        "S",
        {"Auction not found", "Consumer not found", "Consumer not in auction", "Illegal transition"},
    ),
    ("post", "/auctions/{id}/validate"): (
        "auctionsValidate",
        "S",
        {"Auction not found", "FINGERPRINT_REQUIRED", "DEVICE_MISMATCH"},
    ),
    ("get", "/timed-releases/{id}"): ("timedReleasesGet", "P", {"Timed release not found"}),
    ("post", "/timed-releases/{id}/enter"): (
        "timedReleasesEnter",
        "C",
        {
            "Timed release not found",
            "FINGERPRINT_REQUIRED",
            *WORK,
            "Sign-in required",
            "Access code required",
            "Not eligible",
            "Timed release is not open yet",
            "Timed release is sold out",
            "Timed release is closed",
            "Rate limit exceeded",
        },
    ),
    ("post", "/timed-releases/{id}/leave"): (
        "timedReleasesLeave",
        "C",
        {"Timed release not found", "Consumer not in timed release", "Illegal transition"},
    ),
    ("get", "/timed-releases/{id}/status"): (
        "timedReleasesStatus",
        "C",
        {"Timed release not found", "Consumer not in timed release", "Rate limit exceeded"},
    ),
    ("post", "/timed-releases/{id}/complete"): (
        "timedReleasesComplete",
        "S",
        {
            "Timed release not found",
            "Consumer not found",
            "Consumer not in timed release",
            "Illegal transition",
        },
    ),
    ("post", "/timed-releases/{id}/deny"): (
        "timedReleasesDeny",
        "S",
        {
            "Timed release not found",
            "Consumer not found",
            "Consumer not in timed release",
            "Illegal transition",
        },
    ),
    ("post", "/timed-releases/{id}/validate"): (
        "timedReleasesValidate",
        "S",
        {"Timed release not found", "FINGERPRINT_REQUIRED", "DEVICE_MISMATCH"},
    ),
    ("get", "/waitlists/{id}"): ("waitlistsGet", "P", {"Waitlist not found"}),
    ("post", "/waitlists/{id}/enter"): (
        "waitlistsEnter",
        "C",
        {
            "Waitlist not found",
            "FINGERPRINT_REQUIRED",
            *WORK,
            "Sign-in required",
            "Access code required",
            "Not eligible",
            "Waitlist is not open yet",
            "Waitlist is full",
            "Waitlist is closed",
            "Rate limit exceeded",
        },
    ),
    ("get", "/waitlists/{id}/status"): (
        "waitlistsStatus",
        "C",
        {"Waitlist not found", "Rate limit exceeded"},
    ),
    ("delete", "/waitlists/{id}/leave"): (
        "waitlistsLeave",
        "C",
        {"Waitlist not found", "Consumer not in waitlist", "Illegal transition"},
    ),
    ("get", "/appointments/{id}"): ("appointmentsGet", "P", {"Appointment not found"}),
    ("get", "/appointments/{id}/slots"): (
        "appointmentsSlots",
        "P",
        {"Appointment not found", "Validation failed", "Rate limit exceeded"},
    ),
    ("post", "/appointments/{id}/book"): ("appointmentsBook", "C", BOOKED),
    ("post", "/appointments/{id}/rebook"): (
        "appointmentsRebook",
        "C",
        BOOKED | {"Booking not found", "Too late to cancel", "Illegal transition"},
    ),
    ("delete", "/appointments/{id}/cancel"): (
        "appointmentsCancel",
        "C",
        POSTED
        | {
            "Appointment not found",
            "Booking not found",
            "Too late to cancel",
            "Illegal transition",
            "Rate limit exceeded",
        },
    ),
    ("get", "/appointments/{id}/status"): (
        "appointmentsStatus",
        "C",
        {"Appointment not found", "Consumer not in appointment", "Rate limit exceeded"},
    ),
    ("get", "/appointments/{id}/bookings/{booking_id}.ics"): (
        "appointmentsCalendarFile",
        "C",
        {"Appointment not found", "Booking not found"},
    ),
    ("post", "/appointments/{id}/complete"): (
        "appointmentsComplete",
        "S",
        {
            "Appointment not found",
            "Booking not found",
            "Consumer not found",
            "Consumer not in appointment",
            "Illegal transition",
        },
    ),
    ("post", "/appointments/{id}/deny"): (
        "appointmentsDeny",
        "S",
        {
            "Appointment not found",
            "Booking not found",
            "Consumer not found",
            "Consumer not in appointment",
            "Illegal transition",
        },
    ),
    ("post", "/appointments/{id}/validate"): (
        "appointmentsValidate",
        "S",
        {"Appointment not found", "FINGERPRINT_REQUIRED", "DEVICE_MISMATCH"},
    ),
}
CHALLENGED = {
    "queues": "Queue", "draws": "Draw", "auctions": "Auction", "timed-releases": "Timed release",
    "appointments": "Appointment", "waitlists": "Waitlist",
}  # fmt: skip
CONTRACT |= {
    ("get", f"/{path}/{{id}}/challenge"): (
        re.sub("-r", "R", path) + "Challenge", "C", {f"{title} not found", "Rate limit exceeded"}
    )
    for path, title in CHALLENGED.items()
}  # fmt: skip
LIMITED = {name for name, _, _ in CONTRACT.values() if name.startswith("auth")} | {
    "queuesEnter",
    "queuesStatus",
    "drawsEnter",
    "drawsStatus",
    "auctionsBid",
    "auctionsStatus",
    "auctionsHighestBid",
    "timedReleasesEnter",
    "timedReleasesStatus",
    "waitlistsEnter",
    "waitlistsStatus",
    "appointmentsBook",
    "appointmentsRebook",
    "appointmentsSlots",
    "appointmentsStatus",
}


def _errors(operation: dict[str, Any]) -> set[str]:
    return {
        example["value"]["error"]
        for response in operation["responses"].values()
        for body in response.get("content", {}).values()
        for example in body.get("examples", {}).values()
    }


def test_spectacular_has_nothing_to_complain_of() -> None:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    assert orjson.loads(out.getvalue()) == orjson.loads(schema.document())


def test_it_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(orjson.loads(schema.document())).validate()


@pytest.mark.parametrize(("method", "path"), CONTRACT)
def test_the_endpoint_is_described(method: str, path: str) -> None:
    name, letter, own = CONTRACT[method, path]
    operation = conformance.document()["paths"][f"/api/v1{path}"][method]
    assert operation["operationId"] == name
    assert operation["summary"].endswith(".")
    assert operation["security"] == schema.SECURITY[letter]
    expected = COMMON[letter] | own | {"Service unavailable"} | (POSTED if method == "post" else set())
    assert _errors(operation) == expected
    limit = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
    for response in operation["responses"].values():
        assert "X-Request-Id" in response["headers"]
        assert (limit <= set(response["headers"])) == (name in LIMITED)
    for status in {"423", "429", "503"} & set(operation["responses"]):
        assert "Retry-After" in operation["responses"][status]["headers"]


def test_what_the_schema_has_is_in_the_contract() -> None:
    found = {
        (method, path.removeprefix("/api/v1"))
        for path, operations in conformance.document()["paths"].items()
        for method in operations
    }
    assert found == set(CONTRACT)


def test_names_are_in_camel_case_and_times_and_ids_have_their_shape() -> None:
    components = dict(conformance.document()["components"]["schemas"])
    assert components.pop("Parameters")["properties"]["expiresAt"]["type"] == "integer"  # altcha's, not ours
    for component in components.values():
        for name, described in component.get("properties", {}).items():
            assert "_" not in name
            if name.endswith("At"):
                assert described["format"] == "date-time"
            if name.endswith("Id") and name not in ("requestId", "orderId"):
                assert "pattern" in described or component["description"].startswith("The body of")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("QueueStatus", {"estimatedWaitTimeInSeconds"}),
        ("DrawStatus", set()),
        ("AuctionStatus", set()),
        ("TimedReleaseStatus", set()),
        ("WaitlistStatus", set()),
        ("Entry", set()),
        ("AppointmentStatus", set()),
    ],
)
def test_a_status_has_no_null_but_the_wait(status: str, expected: set[str]) -> None:
    properties = conformance.document()["components"]["schemas"][status]["properties"]
    nullable = {name for name, described in properties.items() if "null" in described.get("type", [])}
    assert nullable == expected


def test_schema_and_page_are_public_and_need_no_outside_host() -> None:
    served = Client().get("/api/v1/openapi.json")
    assert (served.status_code, served.content) == (200, schema.document())
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert addresses
    for address in addresses:
        assert address.startswith("/static/")
        assert Client().get(address).status_code == 200
    assert b"https://" not in page.content
