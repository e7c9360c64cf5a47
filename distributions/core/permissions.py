"""Which credential each verb needs, of every kind: one table."""

from rest_framework.permissions import BasePermission

from consumers.permissions import HasKey, HasSecretKey, IsConsumer, IsConsumerAtGate

PERMISSIONS: dict[str, type[BasePermission]] = {
    "retrieve": HasKey,
    "proof": HasKey,
    "proof_file": HasKey,
    "challenge": IsConsumer,
    "enter": IsConsumerAtGate,
    "status": IsConsumerAtGate,
    "leave": IsConsumer,
    "bid": IsConsumerAtGate,
    "highest_bid": HasKey,
    "history": IsConsumer,
    "bids": IsConsumer,
    "slots": HasKey,
    "book": IsConsumerAtGate,
    "rebook": IsConsumerAtGate,
    "cancel": IsConsumer,
    "calendar_file": IsConsumer,
    "admit": HasSecretKey,
    "complete": HasSecretKey,
    "deny": HasSecretKey,
    "validate": HasSecretKey,
}
