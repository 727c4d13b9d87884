"""The command line of the compiler, for make and for people."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from infra.local.chain import compiler
from infra.local.chain.movelib import MoveLibraryMissing
from infra.local.chain.overlay import MovePackageError
from infra.local.chain.types import TypeSyntaxError


def _named(pairs: tuple[str, ...]) -> dict[str, str]:
    named = {}
    for pair in pairs:
        name, equals, address = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r} must be NAME=0xADDRESS.")
        named[name] = address
    return named


@click.group(help=compiler.__doc__)
def cli() -> None: ...


_PACKAGE = click.argument("package", type=click.Path(exists=True, file_okay=False, path_type=Path))
_NAMED = click.option("--named-address", "named", multiple=True, metavar="NAME=0xADDRESS")
_FILTER = click.option("--filter", "test_filter", metavar="TEXT", help="Run tests whose name contains TEXT.")


@cli.command("build")
@_PACKAGE
@_NAMED
@click.option("--dev", is_flag=True, help="Use the manifest's dev-addresses.")
def build_command(package: Path, named: tuple[str, ...], dev: bool) -> int:
    """Compile PACKAGE and list its modules."""
    built = compiler.build(package, _named(named), dev=dev)
    for module in built.modules:
        click.echo(f"{module.name}  {len(module.code):,} bytes")
    return 0


@cli.command("framework")
def framework_command() -> int:
    """Build the local framework, so that the first chain starts at once."""
    for name, built in compiler.framework().items():
        click.echo(f"{name}  {len(built.modules)} modules")
    return 0


@cli.command("test")
@_PACKAGE
@_NAMED
@_FILTER
def test_command(package: Path, named: tuple[str, ...], test_filter: str | None) -> int:
    """Run PACKAGE's unit tests."""
    run = compiler.test(package, _named(named), filter=test_filter)
    click.echo(run.output.strip())
    return 0 if run.ok else 1


@cli.command("coverage")
@_PACKAGE
@_NAMED
@_FILTER
@click.option("--at-least", type=click.IntRange(0, 100), default=0, help="Fail below this many percent.")
def coverage_command(package: Path, named: tuple[str, ...], test_filter: str | None, at_least: int) -> int:
    """Run PACKAGE's unit tests and show which share of each module's instructions they ran."""
    run = compiler.test(package, _named(named), filter=test_filter, coverage=True)
    if not run.ok:
        click.echo(run.output.strip())
        return 1
    covered = sum(part.covered for part in run.coverage.values())
    total = sum(part.total for part in run.coverage.values())
    rows = {**dict(sorted(run.coverage.items())), "all": compiler.Coverage(covered, total)}
    for name, part in rows.items():
        whole, tenth = divmod(part.per_mille, 10)
        click.echo(f"{name:32} {whole:3}.{tenth} %  {part.covered:>7,} of {part.total:,} instructions")
    return 0 if rows["all"].per_mille >= at_least * 10 else 1


def main(arguments: list[str]) -> int:
    """Run one command; what the caller did wrong becomes one message and exit code 2 (compile errors: 1)."""
    try:
        result = cli.main(arguments, prog_name="compiler", standalone_mode=False)
    except compiler.MoveCompileError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except (click.ClickException, MoveLibraryMissing, MovePackageError, TypeSyntaxError) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        print(text, file=sys.stderr)  # noqa: T201
        return 2
    return int(result or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
