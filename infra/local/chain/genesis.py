"""How a chain begins: the local framework, APT, and the faucet's account."""

from __future__ import annotations

import hashlib

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.local.chain import accounts, bcs, compiler, writeset
from infra.local.chain.ledger import Ledger
from infra.local.chain.overlay import framework_packages
from infra.local.chain.state import Committed
from infra.local.chain.transaction import genesis_hash
from infra.local.chain.types import parse_address
from infra.local.chain.vm import Call, Env, Outcome, Writes

FAUCET_ADDRESS = parse_address("0xa550c18")
"""Aptos' local networks keep their root account here, too."""

FAUCET_KEY = Ed25519PrivateKey.from_private_bytes(b"carbon-offset-marketplace-faucet")
"""Known to all, like everything on a chain that listens on loopback only."""

FAUCET_OCTAS = 10**19

_ONE = parse_address("0x1")
_GENESIS_GAS = 10**12


class GenesisFailed(RuntimeError):
    """The framework's own code refused to start the chain."""


def faucet_auth_key() -> bytes:
    """The authentication key of the faucet's Ed25519 key."""
    return hashlib.sha3_256(FAUCET_KEY.public_key().public_bytes_raw() + b"\x00").digest()


def begin(ledger: Ledger) -> None:
    """Write block 0 into an empty store. Time stands at 0 until block 1."""
    packages = compiler.framework()
    core, *others = [packages[name] for name in framework_packages()]
    writes: Writes = {}
    events: list[tuple[str, str]] = []
    env = Env(0, 0, genesis_hash(b"".join(code for package in packages.values() for code in package.codes)))

    def take(outcome: Outcome) -> None:
        if outcome.failure is not None:
            raise GenesisFailed(f"The framework does not start: {outcome.failure}")
        writes.update(outcome.writes)
        events.extend(outcome.events)
        ledger.stage(outcome.writes)

    def call(sender: bytes, module: str, function: str, *args: bytes) -> None:
        take(ledger.vm.execute(env, [sender], Call(_ONE, module, function, (), args), _GENESIS_GAS))

    take(ledger.vm.initialize(env, core.codes))
    call(_ONE, "genesis", "initialize", bytes((ledger.chain_id,)))
    for package in others:
        owner = parse_address(package.modules[0].abi["address"])
        code = bcs.blobs(package.codes)
        call(owner, "code", "publish_package_txn", bcs.blob(package.metadata), code)
    account: Writes = {
        accounts.account_key(FAUCET_ADDRESS): accounts.new_account(FAUCET_ADDRESS, faucet_auth_key(), 0)
    }
    writes.update(account)
    ledger.stage(account)
    call(_ONE, "aptos_coin", "mint", FAUCET_ADDRESS, bcs.u64(FAUCET_OCTAS))
    ledger.begin(
        Committed(
            version=0,
            hash=env.tx_hash,
            kind="genesis",
            sender=None,
            sequence=None,
            height=0,
            timestamp=0,
            success=True,
            vm_status="Executed successfully",
            gas_used=0,
            body=b"",
            events=orjson.dumps(events),
            writes=writeset.pack(writes),
            state_change_hash=b"",
            event_root_hash=b"",
            accumulator_root_hash=b"",
        ),
        writes,
    )
