"""The ledger's time in microseconds: the machine's, or ahead of it; it never goes back."""

from __future__ import annotations

import time

from infra.local.chain.errors import bad_request


class Clock:
    def __init__(self, offset: int, last: int) -> None:
        """``offset`` is how far ahead of the machine it runs; ``last`` the newest block's time."""
        self.offset = offset
        self._last = last

    def now(self) -> int:
        """The time a reader sees; no later block is earlier than it."""
        self._last = max(self._last, time.time_ns() // 1000 + self.offset)
        return self._last

    def tick(self) -> int:
        """The time of a new block: later than every block before it."""
        self._last = max(self._last + 1, time.time_ns() // 1000 + self.offset)
        return self._last

    def set_forward(self, timestamp: int) -> None:
        """Go on from ``timestamp``; refuses one in the past."""
        now = self.now()
        if timestamp < now:
            raise bad_request(
                f"The clock goes forward only: it is {now} microseconds, which is past {timestamp}."
            )
        self.offset = timestamp - time.time_ns() // 1000
        self._last = timestamp
