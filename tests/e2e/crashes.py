"""Ends that nobody asked for: of an engine, of a step's processes, of the whole machine."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil

from tests.e2e.market import Market
from tests.fixtures.machine import ENGINES


def restart(market: Market, engine: str) -> None:
    """Kill it and start it again. From the main thread: an engine ends with the thread that started it."""
    market.machine.engine(engine).kill()
    market.machine.engine(engine).start()


def processes(market: Market, handler: str) -> list[psutil.Process]:
    """Those that run a function of this machine. One whose router was killed works on to its end."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            ours = process.cmdline()[-1:] == [handler]
            if ours and process.environ().get("AWS_ENDPOINT_URL") == market.machine.settings.aws_url:
                found.append(process)
    return found


@contextlib.contextmanager
def dying(market: Market, handler: str, times: int = 2) -> Iterator[None]:
    """What runs a function dies now, and its next processes die as they begin."""

    def kill() -> None:
        killed: set[int] = set()
        while len(killed) < times and not over.wait(0.1):
            for process in processes(market, handler):
                if process.pid not in killed:
                    process.kill()
                    killed.add(process.pid)
        assert len(killed) == times, f"{handler} was not started {times} times"

    for process in processes(market, handler):
        process.kill()
        process.wait()
    over = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        killing = executor.submit(kill)
        try:
            yield
        finally:
            over.set()
        killing.result()


def cut_power(market: Market) -> None:
    """Every process of the machine dies at once, functions at work included; then it is started again on
    what it had written."""
    supervisor = psutil.Process()
    ours = {market.machine.engine(name).pid for name in ENGINES}
    victims = [child for child in supervisor.children() if child.pid in ours]
    victims += [worker for engine in victims for worker in engine.children(recursive=True)]
    for process in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(victims)
    market.machine.stop()
    market.machine.start()
