"""Makes blocks from what waits, and tells those who wait for one."""

from __future__ import annotations

import asyncio

from infra.local.chain.ledger import Ledger

_GATHER_SECONDS = 0.002


class BlockMaker:
    """Runs in the server's event loop."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._work = asyncio.Event()
        self._made = asyncio.Event()
        self._failure: Exception | None = None

    def notice(self) -> None:
        """Something waits: a block follows soon."""
        self._work.set()

    def make_now(self) -> None:
        """Make a block of what is ready, at once. If that fails, ``run`` fails too."""
        if self._ledger.mempool.has_ready():
            try:
                self._ledger.make_block()
            except Exception as error:
                self._failure = error
                self._work.set()
                raise
            self._made.set()
            self._made = asyncio.Event()

    async def next_block(self, timeout: float) -> None:
        """Return after the next block, or after ``timeout`` seconds."""
        try:
            await asyncio.wait_for(self._made.wait(), timeout)
        except TimeoutError:
            return

    async def run(self) -> None:
        """Make blocks until cancelled; requests are served between two of them."""
        while True:
            await self._work.wait()
            self._work.clear()
            if self._failure is not None:
                raise self._failure
            # A short while, so that many transactions share one commit to the disk.
            await asyncio.sleep(_GATHER_SECONDS)
            while self._ledger.mempool.has_ready():
                self.make_now()
                await asyncio.sleep(0)
