"""How drf-spectacular describes the API: its title, its pages, the names of its enumerations."""

from typing import Any

SPECTACULAR: dict[str, Any] = {
    "TITLE": "Fanfare Consumer API",
    "VERSION": "1.0.0",
    "DESCRIPTION": "Who gets access, when and in which order: enter, wait, be admitted.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SCHEMA_PATH_PREFIX_TRIM": False,
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},  # no outside host
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ParticipationStatus": "distributions.core.models.Status",
        "QueuePhase": ["PENDING", "OPEN", "PAUSED", "CLOSED"],
        "DrawPhase": ["PENDING", "OPEN", "CLOSED", "DRAWN"],
        "DrawResult": ["ENTERED", "WON", "LOST"],
        "SlotBookingState": ["CANCELLED"],
        "AuctionPhase": ["PENDING", "OPEN", "CLOSED", "SETTLED"],
        "BidStatus": ["ACTIVE", "OUTBID", "WINNING", "WON", "LOST"],
        "BidState": ["VALID", "VOID", "REFUSED"],
        "BidKind": ["BID", "RAISE", "BUY_NOW"],
        "DrawingStage": ["COMMITTED", "FROZEN", "WAITING_FOR_BEACON", "DRAWN", "CANCELLED"],
        "ProofLevel": ["commit-reveal", "beacon"],
        "VerdictCode": "distributions.core.admission.CODES",
        "SessionType": ["guest", "authenticated"],
        "Condition": ["authentication", "access_code", "audience"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "fanfare.schema.complete",
    ],
}
