"""Puts the market on a chain: keys, contracts, roles, methodologies, reviewers. Running it again changes
nothing, since every transaction has a key under which it is sent once.

On one machine it runs when the machine starts. On AWS an operator runs ``python -m infra.bootstrap`` with
the stage's environment, once the accounts hold coins for the fees; whoever has the official Aptos CLI may
publish the package with that instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from carbonmarket import methodologies
from carbonmarket.chain import calls
from carbonmarket.chain.aborts import refused
from carbonmarket.ports.chain import ChainAccess, SignerPort
from carbonmarket.records.accounts import Organisation
from carbonmarket.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ADMIN = "admin"
PAUSER = "pauser"
_WAIT_S = 60
# What each account needs for its first years of fees here; on a public chain the operator decides.
_FUNDS_OCTAS = 10_000 * 10**8


def admin_address(signer: SignerPort) -> str:
    """The admin's account, which is also the package's address.

    Its key is secp256k1: publishing takes a message longer than KMS signs raw with Ed25519.
    """
    signer.create(ADMIN, "secp256k1")
    return signer.address(ADMIN)


def bootstrap(
    *,
    chain: ChainAccess,
    signer: SignerPort,
    settings: Settings,
    fund: Callable[[str, int], None] | None = None,
    told: Callable[[str], None] = lambda step: None,
) -> None:
    """Make the keys, publish the contracts, give the roles, register the methodologies.

    ``fund(address, octas)`` is a faucet's; without it the accounts must hold coins already. ``told``
    hears each step's name. ChainRefused says which call a contract refused and why.
    """
    told("keys")
    admin = admin_address(signer)
    for key in (
        settings.platform_key,
        settings.issuer_key,
        settings.oracle_key,
        settings.sponsor_key,
        PAUSER,
    ):
        signer.create(key)
    if fund is not None:
        told("funds")
        for key in (ADMIN, settings.sponsor_key):
            fund(signer.address(key), _FUNDS_OCTAS)
    told("contracts")
    publish(chain, admin)
    told("roles")
    roles = {
        calls.ROLE_ISSUER: settings.issuer_key,
        calls.ROLE_ORACLE: settings.oracle_key,
        calls.ROLE_PAUSER: PAUSER,
    }
    for role, key in roles.items():
        address = signer.address(key)
        _done(chain, f"bootstrap/role/{role}/{address}", calls.grant_role(role, address))
    told("methodologies")
    for methodology in methodologies.ALL:
        _done(
            chain,
            f"bootstrap/methodology/{methodology.id}/{methodology.version}",
            calls.register_methodology(
                methodology.id,
                methodology.version,
                calls.FORMULA_LINEAR,
                methodology.numerator,
                methodology.denominator,
                methodology.buffer_bps,
                methodology.document_hash,
            ),
        )
    prefix = f"{settings.public_url}/v1/certificates/"
    _done(chain, f"bootstrap/certificates/{prefix}", calls.set_certificate_uri(prefix))


def publish(chain: ChainAccess, admin: str) -> None:
    """Publish the contracts, or upgrade them where they have changed since (compatible changes only)."""
    from infra.local.chain.compiler import build

    package = build(ROOT / "move", {"carbon_market": admin})
    digest = hashlib.sha256(b"".join(package.codes)).hexdigest()
    call = calls.EntryCall(
        module="0x1::code",
        function="publish_package_txn",
        args=(("vector<u8>", package.metadata), ("vector<vector<u8>>", tuple(package.codes))),
    )
    _done(chain, f"bootstrap/publish/{digest}", call)


def admit_verifier(chain: ChainAccess, organisation: Organisation) -> None:
    """Register a verifier's reviewer on chain, so that it can be drawn."""
    _done(
        chain,
        f"bootstrap/verifier/{organisation.id}",
        calls.register_verifier(
            organisation.account_address,
            bytes.fromhex(organisation.reviewer_key),
            bytes.fromhex(organisation.commitment),
        ),
    )


def _done(chain: ChainAccess, key: str, call: calls.EntryCall) -> None:
    chain.submit(key, ADMIN, call, sponsored=False)
    fate = chain.await_fate(key, _WAIT_S)
    if not fate.success:
        raise refused(fate)


def main() -> None:
    """Put the market on the chain that the environment names."""
    from rich.console import Console

    from carbonmarket_adapters.wiring import chain, settings

    console = Console()
    signer = chain.signer()
    if admin_address(signer) != settings().market_address:
        raise SystemExit(f"set CARBONMARKET_MARKET_ADDRESS to the admin's account {admin_address(signer)}")
    bootstrap(
        chain=chain.chain_access(),
        signer=signer,
        settings=settings(),
        told=lambda step: console.print(f"  {step}"),
    )


if __name__ == "__main__":
    main()
