"""``carbonmarket seed market FILE``."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.local.settings import CREDENTIALS, MachineSettings

if TYPE_CHECKING:
    from rich.console import Console

    from carbonmarket.importing.records import RegistryFile
    from infra.local.seed.day import Plan

SAMPLE = Path(__file__).with_name("sample_issuances.csv")
"""Plainly fictional projects, in the form of the registry's report."""

_DEFAULTS = MachineSettings()
_FUNDS_OCTAS = 10**12


@click.group("seed")
def seed_group() -> None:
    """Fill a machine that runs."""


@seed_group.command("market")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--state",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_DEFAULTS.state,
    help="The state folder of the machine that runs.",
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rows that can't be imported are written, as CSV.  [default: FILE with .rejects.csv, here]",
)
@click.option(
    "--orders",
    type=click.IntRange(0, 100_000),
    default=2_000,
    show_default=True,
    help="How many orders the agents place.",
)
@click.option(
    "--books",
    type=click.IntRange(1, 1_000),
    default=24,
    show_default=True,
    help="In how many books they trade.",
)
@click.option(
    "--hours",
    type=click.IntRange(0, 168),
    default=24,
    show_default=True,
    help="The chain's clock is set forward by so much, for good; 0 leaves it alone.",
)
@click.option(
    "--seed",
    type=int,
    default=1,
    show_default=True,
    help="What the agents' chance comes from: the same number, the same day.",
)
@click.option(
    "--faucet-port", type=click.IntRange(1, 65535), default=_DEFAULTS.faucet_port, show_default=True
)
def market_command(file: Path, state: Path, rejects: Path | None, faucet_port: int, **plan: int) -> None:
    """Import a registry's issuances and let agents trade them for a day.

    FILE is the American Carbon Registry's report of credits issued (CSV). Needs a machine that runs
    (`carbonmarket up`). Each row becomes a batch, once, labelled "not measured here"; credits of the
    registry's buffer pool are not for sale and are left there.
    """
    import requests
    from rich.console import Console

    from carbonmarket.errors import MarketError
    from infra.local.seed.bulk import SeedFailed
    from infra.local.seed.day import Plan

    environment = MachineSettings(state=state.resolve()).environment_file
    faucet = replace(_DEFAULTS, faucet_port=faucet_port).faucet_url
    if not environment.exists():
        raise click.ClickException(f"no machine runs on {state}; start it with `carbonmarket up`")
    os.environ.update(json.loads(environment.read_text()), **CREDENTIALS)
    console = Console()
    try:
        report = read_report(file)
        _tell_rejects(report, rejects or Path(f"{file.stem}.rejects.csv"), console)
        _run(report, Plan(**plan), faucet, console)
    except (MarketError, SeedFailed) as failed:
        raise click.ClickException(str(failed)) from None
    except requests.ConnectionError:
        raise click.ClickException(
            f"the faucet doesn't answer at {faucet}; say by --faucet-port where the machine has it"
        ) from None


def read_report(file: Path) -> RegistryFile:
    """The report in a file; InvalidInput if it is none."""
    from carbonmarket.errors import InvalidInput
    from carbonmarket.importing import acr

    try:
        with file.open(newline="", encoding="utf-8") as opened:
            return acr.read(opened.read())
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is not text in UTF-8", field="file") from None


def _tell_rejects(report: RegistryFile, path: Path, console: Console) -> None:
    from carbonmarket.importing import acr

    if report.rejects:
        path.write_text(acr.rejects_csv(report.rejects), encoding="utf-8")
        console.print(f"[yellow]{len(report.rejects)} rows can't be imported[/yellow]; they are in {path}")
        for reject in report.rejects[:5]:
            console.print(f"  row {reject.row}, {reject.field}: {reject.reason}", markup=False)


def _run(report: RegistryFile, plan: Plan, faucet_url: str, console: Console) -> None:
    from carbonmarket_adapters.wiring import chain, settings
    from infra.local.narrator import Narrator
    from infra.local.run import fund
    from infra.local.seed import shown
    from infra.local.seed.day import Seeder
    from infra.local.seed.prices import read_prices

    prices = read_prices()
    seeder = Seeder(settings(), chain.signer(), lambda account: fund(faucet_url, account, _FUNDS_OCTAS))
    done = seeder.seed(report.issuances, prices, plan, Narrator(console))
    shown.imports(report, done, console)
    shown.day(done, prices, console)
