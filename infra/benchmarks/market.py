"""The order book in the virtual machine: what placing and matching cost, by the depth of the book.

No signature, no fee and no database: the VM over a dictionary, as econia's book was measured here before.
"""

from __future__ import annotations

import hashlib
import random
import time
from dataclasses import dataclass
from statistics import median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket.issuance import IssueApproval, approval_bytes
from carbonmarket.reviewers import Verifier, draw
from infra.declarations import ROOT
from infra.local.chain import bcs, compiler
from infra.local.chain.types import parse_address
from infra.local.chain.vm import KIND_TABLE_ITEM, Call, Env, MoveVm, Outcome

DEPTHS = (10, 100, 1_000, 10_000)
SAMPLES = 15
FILLS_A_TRANSACTION = 16
FULL_SAMPLES = 5

_CHAIN_ID = 4
_PUBLISHER, _TRADER, _MAKER = "0xcafe", "0xa1", "0xa2"
_USDC_PUBLISHER = "0x5dc"
_FRAMEWORK = "0x1"
_DAY = 86_400
_BEGIN = 1_467_331_200
_GRAMS = 10**9
_TICK = 1_000_000
_GAS_LIMIT = 10**10
_ORDER_GRAMS = 5
_PRICES = range(1_000, 6_000)
_ASK, _BID = False, True
_IMMEDIATE, _RESTING, _NO_SUCH_KIND = 1, 0, 9


def _hash(byte: int) -> bytes:
    return bcs.blob(bytes([byte]) * 32)


def _vector(*items: bytes) -> bytes:
    return bcs.uleb(len(items)) + b"".join(items)


def _u128(number: int) -> bytes:
    return number.to_bytes(16, "little")


@dataclass(frozen=True)
class Cost:
    """One transaction: ``ms`` is of the processor, ``reads`` and ``writes`` are of table items."""

    gas: int
    ms: float
    reads: int
    writes: int
    fills: int


class BareMarket:
    """The contracts with one issued batch and its book in test USDC, over a dictionary."""

    def __init__(self) -> None:
        self._store: dict[bytes, bytes] = {}
        self._reads: set[bytes] = set()
        self._vm = MoveVm(self._read)
        self._height = 0
        self._now = _BEGIN + 2 * _DAY
        self._publish_all()
        self._issue()
        self._open()

    def close(self) -> None:
        """Give the VM's memory back."""
        self._vm.close()

    def _read(self, key: bytes) -> bytes | None:
        self._reads.add(key)
        return self._store.get(key)

    def _env(self) -> Env:
        self._height += 1
        return Env(self._height, self._now, self._height.to_bytes(32, "big"))

    def _take(self, outcome: Outcome) -> Outcome:
        if outcome.failure is not None:
            raise RuntimeError(outcome.failure)
        for key, value in outcome.writes.items():
            if value is None:
                self._store.pop(key, None)
            else:
                self._store[key] = value
        return outcome

    def _run(self, sender: str, owner: str, function: str, *arguments: bytes) -> Outcome:
        module, name = function.split("::")
        call = Call(parse_address(owner), module, name, (), arguments)
        return self._vm.execute(self._env(), [parse_address(sender)], call, _GAS_LIMIT)

    def _do(self, sender: str, function: str, *arguments: bytes, owner: str = _PUBLISHER) -> Outcome:
        return self._take(self._run(sender, owner, function, *arguments))

    def _publish(self, owner: str, package: compiler.BuiltPackage) -> None:
        packed = (bcs.blob(package.metadata), bcs.blobs(package.codes))
        self._do(owner, "code::publish_package_txn", *packed, owner=_FRAMEWORK)

    def _publish_all(self) -> None:
        framework, move = compiler.framework(), ROOT / "move"
        self._take(self._vm.initialize(self._env(), framework["AptosFramework"].codes))
        self._do(_FRAMEWORK, "genesis::initialize", bytes([_CHAIN_ID]), owner=_FRAMEWORK)
        self._publish("0x4", framework["AptosTokenObjects"])
        for folder in (move, move / "market"):
            self._publish(_PUBLISHER, compiler.build(folder, {"carbon_market": _PUBLISHER}))
        usdc = compiler.build(move / "test_usdc", {"test_usdc": _USDC_PUBLISHER})
        self._publish(_USDC_PUBLISHER, usdc)

    def _issue(self) -> None:
        """A batch of ``_GRAMS``, by the publisher in every role, reviewed by two verifiers."""
        project, publisher = bcs.text("SUN1"), parse_address(_PUBLISHER)
        keys = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2)]
        verifiers = [Verifier(address=f"0x{0xE0 + n:064x}", organisation=f"a{n}" * 32) for n in range(2)]
        for role in (1, 2):
            self._do(_PUBLISHER, "access_control::grant_role", bytes([role]), publisher)
        formula = (bcs.u64(1), b"\x01", _u128(1), _u128(1), bcs.u64(0), _hash(0xD0))
        self._do(_PUBLISHER, "methodology::register", bcs.text("grid"), *formula)
        self._do(
            _PUBLISHER, "project_registry::register", project, parse_address(_TRADER), _hash(0xDD),
            bcs.text("US"), bcs.text("grid"), bcs.u64(1), _hash(0x33),
        )  # fmt: skip
        for verifier, key in zip(verifiers, keys, strict=True):
            public = bcs.blob(key.public_key().public_bytes_raw())
            organisation = bcs.blob(bytes.fromhex(verifier.organisation))
            place = parse_address(verifier.address)
            self._do(_PUBLISHER, "access_control::register_verifier", place, public, organisation)
        hour, zero = _vector(bcs.u64(_BEGIN)), _vector(bcs.u64(0))
        sums = (_vector(_u128(_GRAMS)), _vector(_u128(0)), _vector(bcs.text("s3://evidence")))
        root = _vector(_hash(0x70))
        self._do(_PUBLISHER, "data_anchor::anchor", project, hour, zero, root, _vector(bcs.u64(1)), *sums)
        period = (bcs.u64(_BEGIN), bcs.u64(_BEGIN + _DAY))
        self._do(_PUBLISHER, "data_anchor::close_period", project, *period)
        report = hashlib.sha256(b"report").hexdigest()
        signed = approval_bytes(
            IssueApproval(
                chain_id=_CHAIN_ID,
                module_address=_PUBLISHER,
                project="SUN1",
                period_start=_BEGIN,
                period_end=_BEGIN + _DAY,
                grams=_GRAMS,
                report_hash=report,
            )
        )
        signatures = {
            verifier.address: bcs.blob(key.sign(signed))
            for verifier, key in zip(verifiers, keys, strict=True)
        }
        reviewers = [each.address for each in draw(bytes.fromhex(report), verifiers, "dd" * 32)]
        self._do(
            _PUBLISHER, "carbon_credit::issue", project, bcs.u64(1), bcs.text("BAT1"), bcs.u64(_GRAMS),
            bcs.blob(bytes.fromhex(report)), _vector(*map(parse_address, reviewers)),
            _vector(*(signatures[each] for each in reviewers)), bcs.u64(1), bcs.text(""),
        )  # fmt: skip

    def _address(self, owner: str, function: str, *arguments: bytes) -> bytes:
        module, name = function.split("::")
        call = Call(parse_address(owner), module, name, (), arguments)
        failure, text = self._vm.view(self._env(), call, _GAS_LIMIT)
        if failure is not None:
            raise RuntimeError(failure)
        return parse_address(text.strip('"'))

    def _open(self) -> None:
        """Book 1, and claimable balances for a maker of bids and a trader with credits."""
        batch = self._address(_PUBLISHER, "credit_batch::batch_address", bcs.text("BAT1"))
        quote = self._address(_USDC_PUBLISHER, "usdc::asset_address")
        terms = (bcs.u64(_TICK), bcs.u64(1), bcs.u64(5), bcs.u64(1))
        self._do(_PUBLISHER, "marketplace::open_book", batch, quote, *terms)
        million_dollars = bcs.u64(10**12)
        faucet = (parse_address(_MAKER), million_dollars)
        self._do(_MAKER, "usdc::faucet", *faucet, owner=_USDC_PUBLISHER)
        self._do(_MAKER, "market_vault::deposit", quote, million_dollars)
        self._do(_TRADER, "market_vault::deposit", batch, bcs.u64(_GRAMS // 2))

    def _place(self, owner: str, is_bid: bool, kind: int, price: int, grams: int) -> Outcome:
        sums = (bcs.u64(price * _TICK), bcs.u64(grams), bcs.u64(0), bcs.u64(0), bcs.u64(0))
        arguments = (bcs.u64(1), bcs.flag(is_bid), bytes([kind]), *sums, bcs.flag(False))
        return self._run(owner, _PUBLISHER, "marketplace::place", *arguments)

    def place(self, owner: str, is_bid: bool, kind: int, price: int, grams: int) -> Cost:
        """One order from a claimable balance, with what it cost."""
        self._reads.clear()
        began = time.process_time()
        outcome = self._place(owner, is_bid, kind, price, grams)
        ms = (time.process_time() - began) * 1000
        reads = sum(key[32] == KIND_TABLE_ITEM for key in self._reads)
        self._take(outcome)
        writes = sum(key[32] == KIND_TABLE_ITEM for key in outcome.writes)
        fills = sum(kind.endswith("::OrderFilled") for kind, _ in outcome.events)
        return Cost(outcome.gas_used, ms, reads, writes, fills)

    def bid(self, chance: random.Random) -> Cost:
        """A bid that rests somewhere in the book."""
        return self.place(_MAKER, _BID, _RESTING, chance.choice(_PRICES), _ORDER_GRAMS)

    def sell(self, orders: int) -> Cost:
        """An ask that matches so many of the best bids."""
        return self.place(_TRADER, _ASK, _IMMEDIATE, 1, orders * _ORDER_GRAMS)

    def loading_gas(self) -> int:
        """Gas of a call that is refused at its first checks: what loading the modules takes."""
        return self._place(_TRADER, _BID, _NO_SUCH_KIND, 1, 1).gas_used


@dataclass(frozen=True)
class Measured:
    """Medians at one depth. ``gas`` leaves out what loading the modules takes; ``per_s`` is orders placed, or
    matched with one other, or fills, in processor time: nothing here waits for anything."""

    gas: int
    per_s: int
    table_reads: int
    table_writes: int


def _middle(costs: list[Cost], loading: int, counted: int = 1) -> Measured:
    return Measured(
        gas=int(median(each.gas for each in costs)) - loading,
        per_s=round(counted * 1_000 / median(each.ms for each in costs)),
        table_reads=int(median(each.reads for each in costs)),
        table_writes=int(median(each.writes for each in costs)),
    )


def bench_book(depths: tuple[int, ...] = DEPTHS) -> dict[int, dict[str, Measured]]:
    """By depth in open bids, which must grow: "place" a bid, "match" one bid, and, where there are enough,
    "fill" as many as one transaction does."""
    market, chance = BareMarket(), random.Random(1)  # noqa: S311 - prices of a benchmark
    loading, open_bids = market.loading_gas(), 0
    by_depth: dict[int, dict[str, Measured]] = {}
    for depth in depths:
        for _ in range(depth - open_bids):
            market.bid(chance)
        placed = [market.bid(chance) for _ in range(SAMPLES)]
        matched = [market.sell(1) for _ in range(SAMPLES)]
        open_bids = depth
        found = {"place": _middle(placed, loading), "match": _middle(matched, loading)}
        if depth >= FULL_SAMPLES * FILLS_A_TRANSACTION:
            full = [market.sell(FILLS_A_TRANSACTION) for _ in range(FULL_SAMPLES)]
            if any(each.fills != FILLS_A_TRANSACTION for each in full):
                raise RuntimeError(f"a transaction did not fill {FILLS_A_TRANSACTION} orders")
            open_bids -= FULL_SAMPLES * FILLS_A_TRANSACTION
            found["fill"] = _middle(full, loading, FILLS_A_TRANSACTION)
        by_depth[depth] = found
    market.close()
    return by_depth
