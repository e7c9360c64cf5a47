"""What an audit found: promises, each kept or with examples of how it was broken."""

from dataclasses import dataclass, field
from typing import Any

SHOWN = 50  # examples of one promise; all are counted


@dataclass
class Promise:
    """One promise: `weighed` is how many cases were looked at, `skipped` why it could not be judged."""

    name: str
    weighed: int = 0
    broken: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)
    skipped: str = ""

    def breaks(self, what: str, **ids: Any) -> None:
        """Note a case in which it was not kept, with the ids of what is concerned."""
        self.broken += 1
        if len(self.examples) < SHOWN:
            self.examples.append({"what": what, **ids})

    def require(self, is_kept: bool, what: str, **ids: Any) -> bool:
        """Weigh one case; whether it was kept."""
        self.weighed += 1
        if not is_kept:
            self.breaks(what, **ids)
        return is_kept

    @property
    def is_kept(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.broken


@dataclass
class Ledger:
    """The promises of one distribution, in the order in which they were first weighed."""

    promises: dict[str, Promise] = field(default_factory=dict)

    def of(self, name: str) -> Promise:
        """The promise of this name."""
        return self.promises.setdefault(name, Promise(name))

    def skip(self, name: str, why: str) -> None:
        """Say that a promise could not be judged."""
        self.of(name).skipped = why

    @property
    def is_kept(self) -> bool:
        """Whether every promise was kept."""
        return all(promise.is_kept for promise in self.promises.values())
