"""A small in-process memory for values that may be a second old: keys, organizations, settings.

It keeps hot requests away from PostgreSQL. Whatever is remembered here may be up to
`settings.MEMO_SECONDS` stale in another process; what must be exact is re-read under a lock.
"""

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from django.conf import settings

from fanfare import clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_memos: "weakref.WeakSet[Memo[Any, Any]]" = weakref.WeakSet()


class Memo(Generic[K, V]):
    """At most `size` values by key, each kept for `settings.MEMO_SECONDS`; oldest dropped first.

    With a `share`, one that took long to load is kept longer: so long that loading takes no larger part of
    the time, such as 0.05, however many ask.
    `load` runs outside the lock: two threads may load one key at once, harmlessly. A `None` is not
    remembered, so that strangers' guesses can't fill the memory.
    """

    def __init__(self, load: Callable[[K], V | None], size: int = 10_000, share: float = 1.0) -> None:
        self._load = load
        self._size = size
        self._share = share
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[float, float, V]] = OrderedDict()
        _memos.add(self)

    def get(self, key: K) -> V | None:
        """The value, at most `MEMO_SECONDS` old, or None if there is none."""
        instant = clock.now().timestamp()
        kept = self._kept.get(key)
        if kept is not None and abs(instant - kept[0]) < kept[1]:
            return kept[2]
        began = time.perf_counter()
        value = self._load(key)
        seconds = settings.MEMO_SECONDS * max(1.0, (time.perf_counter() - began) / self._share)
        with self._lock:
            self._kept.pop(key, None)
            if value is not None:
                self._kept[key] = (instant, seconds, value)
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
        return value

    def forget(self) -> None:
        """Drop everything, after a write that this process wants to see at once."""
        with self._lock:
            self._kept.clear()


def forget_all() -> None:
    """Empty every memo of this process."""
    for memo in list(_memos):
        memo.forget()
