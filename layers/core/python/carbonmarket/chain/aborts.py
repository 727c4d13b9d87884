"""Aborts of the contracts by name and sentence.

``aborts.json`` is written from the ``///`` comments of the contracts by ``python -m infra.aborts``; so the
API says of a refusal what the contract's author said, also where a node doesn't carry the words.
"""

from __future__ import annotations

import functools
import re
from importlib import resources

import msgspec

from carbonmarket.errors import ChainRefused
from carbonmarket.ports.chain import Fate

_ABORT = re.compile(
    r"Move abort in 0x[0-9a-fA-F]+::(\w+): (?:(\w+)\()?(0x[0-9a-fA-F]+|\d+)(?:\): (.+))?", re.DOTALL
)
_REASON_BITS = 0xFFFF


class Abort(msgspec.Struct, frozen=True):
    """An error constant of a contract and what it says the caller did."""

    name: str
    sentence: str


@functools.cache
def known_aborts() -> dict[str, dict[str, Abort]]:
    """By module, then by code in decimal."""
    text = resources.files(__package__).joinpath("aborts.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, Abort]])


def abort_of(vm_status: str) -> tuple[str | None, str | None]:
    """(``module::E_NAME``, sentence) of a node's words about an abort; (None, None) if they are of none.

    The words are Aptos': ``Move abort in 0x…::module: E_NAME(0x10001): sentence``, or ``: 0x10001`` alone.
    A code of ``std::error`` carries its category above 16 bits. Of other packages' aborts the node's own
    name and sentence are kept.
    """
    found = _ABORT.search(vm_status)
    if found is None:
        return None, None
    module, name, code, words = found[1], found[2], int(found[3], 0), found[4]
    ours = known_aborts().get(module, {})
    abort = ours.get(str(code)) or ours.get(str(code & _REASON_BITS))
    if abort is None:
        return f"{module}::{name or hex(code)}", words
    return f"{module}::{abort.name}", abort.sentence


def refused(fate: Fate) -> ChainRefused:
    """The error of a transaction that is committed as failed."""
    return ChainRefused(fate.reason or "the chain refused the transaction", abort=fate.abort)
