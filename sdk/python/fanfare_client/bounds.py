"""How large an answer may be and how long it may take: Fanfare's are short."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx

LARGEST_BYTES = 1 << 20
LONGEST_STEPS = 3  # so many times the time limit of one step, for all of a body


class Bounded(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body as it comes. One that is too large, or comes by drops, is cut off as if the line were dead."""

    def __init__(self, stream: Any, seconds: float, ticks: Callable[[], float]) -> None:
        self._stream = stream
        self._seconds = seconds
        self._ticks = ticks
        self._ends_at = ticks() + seconds
        self._bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            yield self._counted(chunk)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield self._counted(chunk)

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _counted(self, chunk: bytes) -> bytes:
        self._bytes += len(chunk)
        if self._bytes > LARGEST_BYTES:
            raise httpx.ReadError(f"The answer is longer than {LARGEST_BYTES} bytes.")
        if self._ticks() > self._ends_at:
            raise httpx.ReadTimeout(f"The answer took longer than {self._seconds:.0f} s.")
        return chunk


def bind(answer: httpx.Response, timeout: float, ticks: Callable[[], float]) -> None:
    """Bound a body that has not been read yet. `timeout`: seconds of one step."""
    answer.stream = Bounded(answer.stream, LONGEST_STEPS * timeout, ticks)
