"""``python -m infra.benchmarks``: measure all, and print one JSON document on stdout; progress on stderr."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from typing import Any

import click
import psutil  # type: ignore[import-untyped]
from rich.console import Console

from infra.benchmarks.figures import RUNS
from infra.benchmarks.suite import all_benchmarks
from infra.declarations import ROOT


def machine() -> dict[str, Any]:
    """What the figures were measured on; ``load`` is that of the minute before."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    return {
        "commit": commit.stdout.strip() or None,
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 2),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
def main(names: tuple[str, ...]) -> None:
    """Measure all, or what is NAMEd as its progress line has it ("order book"), and print one JSON document.

    A benchmark that fails says so in the document and makes the exit code 1.
    """
    console = Console(stderr=True)
    document: dict[str, Any] = {
        "machine": machine(),
        "runs": f"figures are medians of {RUNS} runs; set-up and demo run once, since they take minutes",
        "figures": {},
        "failed": {},
    }
    left = set(names)
    for name, measure in all_benchmarks(console):
        if names and name not in left:
            continue
        began = time.monotonic()
        try:
            with console.status(f"{name} ..."):
                document["figures"] |= measure()
        except Exception as error:
            document["failed"][name] = f"{type(error).__name__}: {error}"
        console.print(f"  {name} [dim]{time.monotonic() - began:.0f} s[/dim]")
        left.discard(name)
        if names and not left:
            break
    for name in left:
        document["failed"][name] = "no benchmark is called so"
    click.echo(json.dumps(document, indent=2))
    sys.exit(1 if document["failed"] else 0)


if __name__ == "__main__":
    main()
