"""What the localnet manages on this machine; each function returns one measurement."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.local.chain import accounts, bcs, compiler, genesis
from infra.local.chain.ledger import MIN_GAS_PRICE, VM_GAS_PER_UNIT, Ledger
from infra.local.chain.process import running
from infra.local.chain.server import CHAIN_ID, open_ledger
from infra.local.chain.transaction import sign, user_hash
from infra.local.chain.types import parse_address, parse_struct
from infra.local.chain.vm import Call, Env
from infra.local.chain.writes import SIGNED_BCS

Measured = dict[str, int | float]

_ONE = parse_address("0x1")
_METADATA = parse_struct("0x1::fungible_asset::Metadata")
_RECEIVER = parse_address("0xb0b")
_MAX_GAS = 10_000
_SENDERS = 8


def _transfer(amount: int) -> Call:
    """A transfer of a fungible asset between primary stores: the one that the chain begins with."""
    arguments = (accounts.APT_METADATA, _RECEIVER, bcs.u64(amount))
    return Call(_ONE, "primary_fungible_store", "transfer", (_METADATA,), arguments)


def _settle(ledger: Ledger, sender: bytes, number: int) -> None:
    env = Env(1, 1_700_000_000, number.to_bytes(32, "big"))
    outcome = ledger.vm.execute(env, [sender], _transfer(1), _MAX_GAS * VM_GAS_PER_UNIT)
    if outcome.failure is not None:
        raise RuntimeError(outcome.failure)
    ledger.stage(outcome.writes)


def bench_vm_transfers(count: int = 4000) -> Measured:
    """Fungible-asset transfers a second in the VM alone: no signature, no fee, no database."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder) / "state.db")
        _settle(ledger, genesis.FAUCET_ADDRESS, 0)
        started = time.perf_counter()
        for number in range(count):
            _settle(ledger, genesis.FAUCET_ADDRESS, number + 1)
        seconds = time.perf_counter() - started
        ledger.close()
    return {"transfers": count, "transfers_per_second": round(count / seconds)}


def bench_rest_transfers(count: int = 4000) -> Measured:
    """Fungible-asset transfers a second, from signed bytes through REST until the last is on the disk."""
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([number + 1]) * 32) for number in range(_SENDERS)]
    owners = [hashlib.sha3_256(key.public_key().public_bytes_raw() + b"\x00").digest() for key in keys]
    each = count // _SENDERS
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "state.db") as localnet:
        for owner in owners:
            _post(localnet.faucet, f"/mint?address=0x{owner.hex()}&amount={10**12}", b"", {})
        signed = [
            [_signed(key, owner, number) for number in range(each)]
            for key, owner in zip(keys, owners, strict=True)
        ]
        threads = [threading.Thread(target=_send, args=(localnet.node, bodies)) for bodies in signed]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for bodies in signed:
            _wait(localnet.node, bodies[-1])
        seconds = time.perf_counter() - started
    return {"transfers": each * _SENDERS, "transfers_per_second": round(each * _SENDERS / seconds)}


def bench_start() -> Measured:
    """Seconds until a new chain answers, the framework being built, and until a kept one does."""
    compiler.framework()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.db"
        times = []
        for _ in range(2):
            started = time.perf_counter()
            with running(state) as localnet:
                times.append(time.perf_counter() - started)
                localnet.stop()
    return {"new_chain_seconds": round(times[0], 3), "kept_chain_seconds": round(times[1], 3)}


def _signed(key: Ed25519PrivateKey, owner: bytes, sequence: int) -> bytes:
    return sign(
        key,
        owner,
        sequence,
        _transfer(1),
        max_gas=_MAX_GAS,
        gas_price=MIN_GAS_PRICE,
        expiration_seconds=int(time.time()) + 600,
        chain_id=CHAIN_ID,
    )


def _connect(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)


def _post(url: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    connection = _connect(url)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 400:
        raise RuntimeError(text.decode())


def _send(node: str, bodies: list[bytes]) -> None:
    """One client: one connection, one transaction after the other, at most 90 waiting."""
    connection = _connect(node)
    for number, body in enumerate(bodies):
        while True:
            connection.request("POST", "/v1/transactions", body, {"content-type": SIGNED_BCS})
            answer = connection.getresponse()
            answer.read()
            if answer.status == 202:
                break
            if answer.status != 507:
                raise RuntimeError(f"Transaction {number} was refused with {answer.status}.")
            time.sleep(0.002)
    connection.close()


def _wait(node: str, body: bytes) -> None:
    connection = _connect(node)
    path = f"/v1/transactions/by_hash/0x{user_hash(body).hex()}"
    while True:
        connection.request("GET", path)
        answer = connection.getresponse().read()
        if b'"pending_transaction"' not in answer:
            break
        time.sleep(0.002)
    if b'"success":true' not in answer:
        raise RuntimeError(answer.decode())
    connection.close()
