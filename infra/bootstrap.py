"""Puts the market on a chain: keys, contracts, roles, methodologies, reviewers. Running it again changes
nothing, since every transaction has a key under which it is sent once.

On one machine it runs when the machine starts. On AWS an operator runs ``python -m infra.bootstrap`` with
the stage's environment, once the accounts hold coins for the fees; whoever has the official Aptos CLI may
publish the package with that instead.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import requests
from aptos_sdk.account_address import AccountAddress

from carbonmarket import methodologies
from carbonmarket.chain import calls, market_calls
from carbonmarket.chain.aborts import refused
from carbonmarket.ports.chain import ChainAccess, SignerPort
from carbonmarket.ports.money import Ledger
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.money import CAPITAL, TREASURY_FLOAT, Transfer
from carbonmarket.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
ADMIN = "admin"
PAUSER = "pauser"
TEST_USDC = "test-usdc"
MAKER_BPS, TAKER_BPS = 10, 30
"""The market's fees to begin with, in 1/10,000; an admin changes them on chain."""
FLOAT = 2 * 10**12
"""Test USDC of the treasury to begin with: two million dollars, half of it claimable, from where orders take
it, and half in the wallet."""

_FAUCET_MAX = 10**12
_USDC_SEED = b"TEST_USDC"
_WHOLE_BPS = 10_000
_WAIT_S = 60
# What each account needs for its first years of fees here; on a public chain the operator decides.
_FUNDS_OCTAS = 10_000 * 10**8


def admin_address(signer: SignerPort) -> str:
    """The admin's account, which is also the package's address.

    Its key is secp256k1: publishing takes a message longer than KMS signs raw with Ed25519.
    """
    signer.create(ADMIN, "secp256k1")
    return signer.address(ADMIN)


def test_usdc_address(signer: SignerPort) -> str:
    """The metadata of the test USDC, wherever it is published: it follows from its publisher's key."""
    signer.create(TEST_USDC, "secp256k1")
    publisher = AccountAddress.from_str(signer.address(TEST_USDC))
    return str(AccountAddress.for_named_object(publisher, _USDC_SEED))


def bootstrap(
    *,
    chain: ChainAccess,
    signer: SignerPort,
    settings: Settings,
    ledger: Ledger | None = None,
    fund: Callable[[str, int], None] | None = None,
    told: Callable[[str], None] = lambda step: None,
) -> None:
    """Make the keys, publish the contracts, give the roles, register the methodologies, set the fees.

    ``fund(address, octas)`` is a faucet's; without it the accounts must hold coins already. A chain with a
    faucet is one of play money: it also gets the test USDC, and the treasury a float of it, which ``ledger``
    books. ``told`` hears each step's name. ChainRefused says which call a contract refused and why.
    """
    told("keys")
    admin = admin_address(signer)
    for key in (
        settings.platform_key,
        settings.issuer_key,
        settings.oracle_key,
        settings.sponsor_key,
        settings.treasury_key,
        PAUSER,
    ):
        signer.create(key)
    if fund is not None:
        told("funds")
        # Whoever stops the market pays for that itself, as the admin does.
        for key in (ADMIN, PAUSER, settings.sponsor_key):
            fund(signer.address(key), _FUNDS_OCTAS)
    told("contracts")
    for folder in ("", "market"):
        publish(chain, ADMIN, ROOT / "move" / folder, {"carbon_market": admin})
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
    told("fees")
    _done(chain, "bootstrap/fees", market_calls.set_fees(MAKER_BPS, TAKER_BPS))
    _done(chain, "bootstrap/shares", market_calls.set_shares([admin], [_WHOLE_BPS]))
    if fund is not None:
        told("play money")
        fund(signer.address(TEST_USDC), _FUNDS_OCTAS)
        _give_play_money(chain, signer, settings)
        if ledger is not None:
            _book_float(ledger)


def publish(chain: ChainAccess, key_id: str, folder: Path, addresses: dict[str, str]) -> None:
    """Publish a package under a key's account, or upgrade it where it has changed since (compatible changes
    only). ``addresses`` are those that its manifest leaves open."""
    from infra.local.chain.compiler import build

    package = build(folder, addresses)
    digest = hashlib.sha256(b"".join(package.codes)).hexdigest()
    call = calls.EntryCall(
        module="0x1::code",
        function="publish_package_txn",
        args=(("vector<u8>", package.metadata), ("vector<vector<u8>>", tuple(package.codes))),
    )
    _done(chain, f"bootstrap/publish/{digest}", call, key_id)


def _give_play_money(chain: ChainAccess, signer: SignerPort, settings: Settings) -> None:
    publisher, asset = signer.address(TEST_USDC), test_usdc_address(signer)
    publish(chain, TEST_USDC, ROOT / "move" / "test_usdc", {"test_usdc": publisher})
    treasury = signer.address(settings.treasury_key)
    for number, first in enumerate(range(0, FLOAT, _FAUCET_MAX)):
        part = market_calls.usdc_faucet(publisher, treasury, min(_FAUCET_MAX, FLOAT - first))
        _done(chain, f"bootstrap/float/{number}", part, TEST_USDC)
    claimable = market_calls.deposit(asset, FLOAT // 2)
    _done(chain, "bootstrap/float/claimable", claimable, settings.treasury_key, sponsored=True)


def _book_float(ledger: Ledger) -> None:
    put_in = Transfer(
        debit=TREASURY_FLOAT, credit=CAPITAL, amount=FLOAT, currency="USDC", reason="the float to begin with"
    )
    key = "bootstrap/float"
    if ledger.entry(key) is None:
        ledger.post(key, [put_in], time.time_ns() // 1_000)


def first_version(node_url: str, admin: str) -> int:
    """The version of the admin's first transaction, before which the market can't have been on the chain.

    What is published or upgraded later doesn't move it: a projection that begins there misses nothing.
    """
    first: dict[str, str | int] = {"start": 0, "limit": 1}
    answer = requests.get(f"{node_url}/accounts/{admin}/transactions", params=first, timeout=_WAIT_S)
    answer.raise_for_status()
    return int(answer.json()[0]["version"])


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


def _done(
    chain: ChainAccess, key: str, call: calls.EntryCall, sender: str = ADMIN, *, sponsored: bool = False
) -> None:
    chain.submit(key, sender, call, sponsored)
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
    pauser = signer.address(PAUSER)
    console.print(f"Give the pauser's account coins too, since nobody pays for its calls: {pauser}")
    begins = first_version(settings().aptos_node_url, settings().market_address)
    name = f"/carbonmarket/{settings().stage}/first-version"
    console.print(f"The market begins at version {begins}: put {begins} into the parameter {name}")


if __name__ == "__main__":
    main()
