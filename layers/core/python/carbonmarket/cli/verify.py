"""``carbonmarket verify``: check a retirement certificate link by link.

Exit code 0: nothing failed; 1: a link is broken; 2: nothing could be decided, since the file can't be read as
a certificate, or what it was to be checked with (evidence, keys, node) can't be reached.
"""

from __future__ import annotations

from pathlib import Path

import click

from carbonmarket import trust
from carbonmarket.certificate import multikey
from carbonmarket.certificate.credential import Origin
from carbonmarket.cli.trust import believed, store_option
from carbonmarket.errors import MarketError
from carbonmarket.quantities import format_tonnes
from carbonmarket.verification import (
    UNREADABLE,
    ChainView,
    VerificationReport,
    exit_code,
    verify_certificate,
)

_SIGNS = {"passed": ("ok", "green"), "failed": ("BROKEN", "red"), "not checked": ("not checked", "yellow")}
_NAME_WIDTH = 22
_SIGN_WIDTH = 12


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--evidence",
    type=click.Path(path_type=Path),
    help="The evidence archive; without it evidence.zip beside FILE, where there is one.",
)
@click.option(
    "--trust", "keys", multiple=True, metavar="KEY", help="Believe this key (z6Mk…) for this check."
)
@store_option
@click.option("--node", metavar="URL", help="Also ask this Aptos node, such as http://127.0.0.1:8080/v1.")
@click.pass_context
def verify_command(
    context: click.Context,
    file: Path,
    evidence: Path | None,
    keys: tuple[str, ...],
    store: Path | None,
    node: str | None,
) -> None:
    """Check the retirement certificate FILE, down to the sensor readings."""
    try:
        trusted = _trusted(keys, store)
        archive = _archive(file, evidence)
        report = verify_certificate(_read(file), trusted, archive, _chain(node))
    except MarketError as error:
        click.echo(f"{file}: {error.reason}", err=True)
        context.exit(UNREADABLE)
    _print(report)
    context.exit(exit_code(report))


def _trusted(keys: tuple[str, ...], store: Path | None) -> trust.TrustStore:
    for key in keys:
        multikey.decode(key, "--trust")
    return believed(store) | dict.fromkeys(keys, "given by --trust")


def _archive(file: Path, evidence: Path | None) -> bytes | None:
    if evidence is not None:
        return _read(evidence)
    beside = file.parent / "evidence.zip"
    return _read(beside) if beside.is_file() else None


def _chain(node: str | None) -> ChainView | None:
    if node is None:
        return None
    from carbonmarket.cli.node import NodeView

    return NodeView(node)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MarketError(f"{path} can't be read: {error.strerror or error}") from None


def _print(report: VerificationReport) -> None:
    for link in report.links:
        sign, colour = _SIGNS[link.status]
        click.echo(
            click.style(f"{sign:<{_SIGN_WIDTH}}", fg=colour) + f"{link.name:<{_NAME_WIDTH}}{link.sentence}"
        )
    click.echo()
    if report.valid and report.certificate is not None:
        subject = report.certificate.subject
        tonnes = format_tonnes(int(subject.grams))
        click.secho(f"VALID: {subject.grams} g ({tonnes} t) of CO2e retired, {subject.serials}", bold=True)
        if isinstance(subject.origin, Origin):
            click.secho(f"But {subject.origin}", fg="yellow", bold=True)
    else:
        names = ", ".join(link.name for link in report.broken)
        click.secho(f"INVALID: broken: {names}", fg="red", bold=True)
    click.echo("Not proven here:")
    for sentence in report.not_proven:
        click.echo(f"  - {sentence}")
