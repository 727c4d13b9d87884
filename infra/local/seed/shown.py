"""What the seed did, as people read it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from rich import box
from rich.console import Console
from rich.table import Table

from carbonmarket.importing.records import NOT_MEASURED_HERE, RegistryFile
from infra.local.seed.day import Seeded
from infra.local.seed.prices import Prices
from infra.local.seed.tape import Tally

_GRAMS_PER_TONNE = 1_000_000
_UNITS_PER_DOLLAR = 10**6


def imports(report: RegistryFile, done: Seeded, console: Console) -> None:
    """How many batches are new, and what was left in the registry."""
    known = len(done.imported) - done.fresh
    tonnes = sum(each.issuance.grams_project for each in done.imported if each.fresh) // _GRAMS_PER_TONNE
    console.print(f"\n{done.fresh} batches imported, {tonnes:,} t, labelled {NOT_MEASURED_HERE!r}")
    if known:
        console.print(f"{known} were imported before and were left as they are: each serial counts once")
    buffered = sum(issuance.grams_buffer for issuance in report.issuances) // _GRAMS_PER_TONNE
    pooled = sum(not issuance.grams_project for issuance in report.issuances)
    console.print(
        f"{buffered:,} t lie in the registry's buffer pool and are not for sale"
        + (f"; rows of nothing else: {pooled}" if pooled else "")
    )


def day(done: Seeded, prices: Prices, console: Console) -> None:
    """The day by type of project, and where the prices are from."""
    table = Table(title="The day", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("Type of project", no_wrap=True, max_width=22)
    for name in ("Books", "Orders", "Fills", "Tonnes", "USD", "USD/t", "Said", "Fees"):
        table.add_column(name, justify="right", no_wrap=True)
    tallies: dict[str, Tally] = defaultdict(Tally)
    books: dict[str, int] = defaultdict(int)
    for venue in done.venues:
        tallies[venue.project_type] += done.tape.books[venue.book]
        books[venue.project_type] += 1
    for name in sorted(tallies):
        published = _dollars(prices.of(name).units)
        table.add_row(
            name, str(books[name]), *_figures(tallies[name]), published, _dollars(tallies[name].fees)
        )
    total = done.tape.total()
    table.add_section()
    table.add_row("All", str(len(done.venues)), *_figures(total), "", _whole(total.fees))
    console.print(table)
    tape = done.tape
    console.print(
        f"{tape.transactions:,} transactions, of which the contracts refused {tape.refused:,}; "
        f"{total.cancelled:,} orders or their remainders were cancelled"
    )
    console.print("Agents trade around what was published ('Said', USD a tonne):")
    for source in prices.sources():
        console.print(
            f"[dim]{source.says}. {source.title}, {source.publisher}: {source.url}[/dim]", soft_wrap=True
        )


def _figures(tally: Tally) -> tuple[str, ...]:
    average = tally.quote * _GRAMS_PER_TONNE // tally.grams if tally.grams else 0
    return (
        f"{tally.orders:,}",
        f"{tally.fills:,}",
        f"{tally.grams // _GRAMS_PER_TONNE:,}",
        _whole(tally.quote),
        _dollars(average) if average else "",
    )


def _dollars(units: int) -> str:
    return f"{Decimal(units) / _UNITS_PER_DOLLAR:,.2f}"


def _whole(units: int) -> str:
    return f"{units // _UNITS_PER_DOLLAR:,}"
