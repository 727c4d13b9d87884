"""Which benchmarks there are: each gives figures by name, beside the targets they are held to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from infra.benchmarks.figures import RUNS, at_least, at_most, measured, told
from infra.local.machine import Machine
from infra.local.run import publish_market
from infra.local.settings import MachineSettings

Figures = dict[str, Any]
Benchmark = tuple[str, Callable[[], Figures]]

READINGS = at_least(10_000, "readings/s")
TREE = at_most(5, "s")
PROOF = at_most(1, "ms")
REST = at_least(500, "transfers/s")
VM = at_least(1_500, "transfers/s")
START = at_most(3, "s")
FOLD = at_least(20_000, "events/s")
STORED_TO_BARE = at_least(0.5, "of the items/s of bare transactions of 100 puts")
SAGA = at_most(3, "s")
ORDERS = at_most(300, "s")
PROJECTED = at_most(1, "s")
# What the book of econia takes on the same virtual machine, by depth (move/README.md); be better.
_DEPTHS = (10, 100, 1_000, 10_000)
BOOK_GAS = {
    "place": dict(zip(_DEPTHS, (56_900, 59_100, 59_400, 48_000), strict=True)),
    "match": dict(zip(_DEPTHS, (94_400, 101_100, 94_400, 91_900), strict=True)),
}
BOOK_RATES = {
    "place": at_least(650, "orders placed/s"),
    "match": at_least(370, "orders matched/s"),
    "fill": at_least(1_500, "fills/s in transactions of 16"),
}
IMPORT = at_most(500, "ms")
FIRST_REQUEST = at_most(1_500, "ms")
FIRST_USE = at_most(12 * 60, "s")
MEMORY = at_most(4 * 1024**3, "bytes")


def merkle() -> Figures:
    """The Merkle tree."""
    from infra.benchmarks.merkle import bench_merkle

    runs = [bench_merkle() for _ in range(RUNS)]
    trees, proofs = [run["tree_s"] for run in runs], [run["proof_check_ms"] for run in runs]
    return {
        "merkle_tree_of_1000000_leaves": told(median(trees), TREE, trees),
        "merkle_proof_check": told(median(proofs), PROOF, proofs),
    }


def book() -> Figures:
    """The order book in the virtual machine, at each depth."""
    from infra.benchmarks.market import bench_book

    runs = [bench_book(_DEPTHS) for _ in range(RUNS)]
    figures: Figures = {}
    for depth, acts in runs[0].items():
        for act, first in acts.items():
            rates = [run[depth][act].per_s for run in runs]
            reads = {"table_reads": first.table_reads, "table_writes": first.table_writes}
            figures[f"book_{act}_at_depth_{depth}"] = told(median(rates), BOOK_RATES[act], rates)
            if act in BOOK_GAS:
                target = at_most(BOOK_GAS[act][depth], "gas less loading of modules")
                gas = [run[depth][act].gas for run in runs]
                figures[f"book_{act}_gas_at_depth_{depth}"] = told(median(gas), target, gas, **reads)
    return figures


def fold() -> Figures:
    """The pure fold."""
    from infra.benchmarks.projection import bench_fold

    return {"projection_fold": measured(lambda: bench_fold()["events_per_s"], FOLD)}


def localnet() -> Figures:
    """The chain of one machine."""
    from infra.local.chain.bench import bench_rest_transfers, bench_start, bench_vm_transfers

    starts = [bench_start() for _ in range(RUNS)]
    new, kept = ([run[name] for run in starts] for name in ("new_chain_seconds", "kept_chain_seconds"))
    return {
        "localnet_transfers_vm": measured(lambda: bench_vm_transfers()["transfers_per_second"], VM),
        "localnet_transfers_rest": measured(lambda: bench_rest_transfers()["transfers_per_second"], REST),
        "localnet_start_new": told(median(new), START, new),
        "localnet_start_kept": told(median(kept), START, kept),
    }


def first_use() -> Figures:
    """Set-up and demo in a fresh clone, once."""
    from infra.benchmarks.footprint import bench_first_use

    with tempfile.TemporaryDirectory() as folder:
        found = bench_first_use(Path(folder))
    seconds = round(found["setup_s"] + found["demo_s"], 1)
    return {
        "setup_and_demo": told(
            seconds, FIRST_USE, [seconds], setup_s=found["setup_s"], demo_s=found["demo_s"]
        ),
        "setup_and_demo_memory": told(found["memory_bytes_max"], MEMORY, [found["memory_bytes_max"]]),
        "setup_and_demo_disk": {
            "figure": found["disk_installed_bytes"] + found["disk_demo_bytes"],
            "unit": "bytes",
            "installed": found["disk_installed_bytes"],
            "demo": found["disk_demo_bytes"],
        },
    }


ALONE: tuple[Benchmark, ...] = (
    ("Merkle tree", merkle),
    ("projection, fold", fold),
    ("order book", book),
    ("localnet", localnet),
    ("set-up and demo", first_use),
)


class OnOneMachine:
    """What is measured on a machine that runs: ingestion, the stored projection, sagas, cold starts."""

    def __init__(self, settings: MachineSettings, folder: Path) -> None:
        self._machine = settings
        self._folder = folder

    def benchmarks(self) -> tuple[Benchmark, ...]:
        """In the order they should run in: the sagas late, since their functions' processes stay."""
        return (
            ("ingestion", self.ingestion),
            ("projection, store", self.projection),
            ("search", self.search),
            ("cold starts", self.cold_starts),
            ("sagas", self.sagas),
            ("orders", self.orders),
            ("trades", self.trades),
        )

    def ingestion(self) -> Figures:
        """What the function ingest-readings does with its batches."""
        from carbonmarket_adapters.wiring import aws, settings
        from infra.benchmarks.ingest import bench_ingest

        rates = bench_ingest(settings(), aws)
        return {"ingest_handler": told(median(rates), READINGS, list(rates))}

    def projection(self) -> Figures:
        """The watcher's writes against bare ones."""
        from infra.benchmarks.projection import bench_store

        runs = [bench_store(self._machine.dynamodb_url) for _ in range(RUNS)]
        ratios = [run["stored_to_bare"] for run in runs]
        facts = {
            name: median(run[name] for run in runs) for name in ("stored_items_per_s", "bare_items_per_s")
        }
        return {"projection_store": told(median(ratios), STORED_TO_BARE, ratios, **facts)}

    def search(self) -> Figures:
        """What is on offer, read anew."""
        from carbonmarket_adapters.wiring import settings
        from infra.benchmarks.search import bench_search

        seconds, requests = bench_search(settings(), RUNS)
        return {
            "search_refresh": {"figure": median(seconds), "unit": "s", "runs": seconds, "requests": requests}
        }

    def cold_starts(self) -> Figures:
        """A new process of each HTTP function."""
        from carbonmarket_adapters.wiring import settings
        from infra.benchmarks.coldstart import bench_cold_start

        runs = [bench_cold_start(settings()) for _ in range(RUNS)]
        figures: Figures = {}
        for app in runs[0]:
            for name, target in (("import_ms", IMPORT), ("import_and_first_request_ms", FIRST_REQUEST)):
                times = [run[app][name] for run in runs]
                figures[f"{app}_{name.removesuffix('_ms')}"] = told(median(times), target, times)
        return figures

    def sagas(self) -> Figures:
        """Mint and retire."""
        from infra.benchmarks.sagas import bench_sagas

        found = bench_sagas(self._machine, self._folder)
        return {
            f"saga_{name}": told(median(found[f"{name}_s"]), SAGA, list(found[f"{name}_s"]))
            for name in ("mint", "retire")
        }

    def orders(self) -> Figures:
        """10,000 orders through the API, once, in grams that the sagas have minted."""
        from infra.benchmarks.orders import bench_orders, newest_batch

        found = bench_orders(self._machine, newest_batch(self._machine))
        return {"orders_placed_and_matched": told(found["orders_s"], ORDERS, [found["orders_s"]], **found)}

    def trades(self) -> Figures:
        """From an order's submission to its projected trade."""
        from infra.benchmarks.orders import newest_batch
        from infra.benchmarks.trading import bench_projected_trade

        times = bench_projected_trade(newest_batch(self._machine))
        return {"order_to_projected_trade": told(median(times), PROJECTED, list(times), longest=max(times))}


def all_benchmarks(console: Console) -> Iterator[Benchmark]:
    """Every benchmark, in turn; a machine runs while those are asked for that need it."""
    yield from ALONE
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machine = MachineSettings(state=folder / "machine").on_free_ports()
        with Machine(machine, publish_market, console):
            yield from OnOneMachine(machine, folder).benchmarks()
