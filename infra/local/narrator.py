"""Tells on the console what a long command does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)


class Narrator:
    """Says what happens; one line a chapter, a bar where there is something to count."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @contextmanager
    def chapter(self, title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """A chapter; what it yields moves the bar to a count."""
        columns = [SpinnerColumn(), TextColumn("{task.description}")]
        columns += [BarColumn(), MofNCompleteColumn()] if total else []
        with Progress(*columns, TimeElapsedColumn(), console=self.console, transient=True) as bar:
            task = bar.add_task(title, total=total)
            began = time.monotonic()
            yield lambda count: bar.update(task, completed=count)
        self.console.print(f"  [green]done[/green]  {title} [dim]{time.monotonic() - began:.1f} s[/dim]")
