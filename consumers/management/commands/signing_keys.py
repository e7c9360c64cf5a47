"""`manage.py signing_keys`: the keys that sign access and admission tokens. The face of `signing`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from consumers import signing
from consumers.models import SigningKey
from fanfare import clock


class Command(BaseCommand):
    """Private halves never leave the database."""

    help = (
        "List the signing keys, or make a new one that signs from now on. Tokens of older keys stay good "
        "until they expire; with --revoke-old they are refused at once: every session and every admission "
        "token that is out ends."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="newest first")
        rotate = verbs.add_parser("rotate", help="make a new key")
        rotate.add_argument("--revoke-old", action="store_true", help="refuse the tokens of all older keys")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "list":
            self._list()
            return
        key = signing.rotate(now=clock.now(), revoke_old=options["revoke_old"])
        assert key is not None  # only `only_if_none` makes none
        old = "refused from now on" if options["revoke_old"] else "good until they expire"
        self.stdout.write(f"{key.kid} signs from now on; tokens of older keys are {old}.")

    def _list(self) -> None:
        keys = SigningKey.objects.order_by("-created_at", "kid")
        for key in keys:
            self.stdout.write(f"{key.kid}  {key.created_at:%Y-%m-%d %H:%M:%S} UTC  {_state(key)}")
        if not keys:
            self.stdout.write("No signing key yet; the first start makes one.")


def _state(key: SigningKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%Y-%m-%d %H:%M:%S}"
    if key.retired_at is not None:
        return f"verifies (signed until {key.retired_at:%Y-%m-%d %H:%M:%S})"
    return "signs"
