"""``carbonmarket``: the command line of the market on one machine.

Each command is imported when it is called, so that ``carbonmarket verify`` starts at once and needs
nothing but the core.
"""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "demo": ("infra.local.commands", "demo_command", "Run the main job end to end on real data."),
    "localnet": ("infra.local.chain.__main__", "main", "Run the chain alone."),
    "rebuild": ("infra.local.commands", "rebuild_command", "Rebuild the chain's projection and compare it."),
    "seed": ("infra.local.seed.command", "seed_group", "Fill the market from a registry's file, and trade."),
    "token": ("infra.local.commands", "token_command", "Print a development token for the API."),
    "trust": ("carbonmarket.cli.trust", "trust_group", "Say whose certificates you trust."),
    "up": ("infra.local.commands", "up_command", "Start the machine and leave it running."),
    "verify": ("carbonmarket.cli.verify", "verify_command", "Verify a certificate, offline if you like."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="carbonmarket")
def main() -> None:
    """The carbon market on one machine: the chain, the engines, the demo, and the verifier.

    Start with `carbonmarket demo`; keep the machine with `carbonmarket up`.
    """


if __name__ == "__main__":
    main()
