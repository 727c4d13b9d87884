"""Fills a machine's market from a registry's file and lets the agents trade there for a day."""

from __future__ import annotations

import random
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from carbonmarket.chain import market_calls
from carbonmarket.chain.addresses import canonical
from carbonmarket.importing.records import Issuance
from carbonmarket.ports.chain import SignerPort
from carbonmarket.settings import Settings
from carbonmarket_adapters.aptos.client import NodeClient
from infra.bootstrap import TEST_USDC
from infra.local.narrator import Narrator
from infra.local.seed.agents import Agents, Venue, makers, strays, takers
from infra.local.seed.bulk import Bulk
from infra.local.seed.imports import Imported, Importer
from infra.local.seed.prices import Prices
from infra.local.seed.tape import Tape

_PURSE = 10**12
"""What the faucet gives each agent: a million test dollars."""
_WAVES_MAX = 24
# In a smaller wave makers would quote and nobody come.
_WAVE_ORDERS_MIN = 24
_HOUR_US = 3_600_000_000
_BALANCE = "0x1::primary_fungible_store::balance"
_METADATA = "0x1::fungible_asset::Metadata"


@dataclass(frozen=True)
class Plan:
    """``books`` of the largest batches are traded in by about ``orders`` orders, over ``hours`` of the
    chain's time; 0 leaves its clock alone. ``seed`` is that of all chance."""

    orders: int
    books: int
    hours: int
    seed: int


@dataclass(frozen=True)
class Seeded:
    """What came of it."""

    imported: list[Imported]
    venues: list[Venue]
    tape: Tape

    @property
    def fresh(self) -> int:
        """Batches that this run brought."""
        return sum(each.fresh for each in self.imported)


class Seeder:
    """A machine that runs, with its wiring in this process' environment."""

    def __init__(self, settings: Settings, signer: SignerPort, fund: Callable[[str], None]) -> None:
        self._settings = settings
        self._signer = signer
        self._node = NodeClient(settings.aptos_node_url)
        self._bulk = Bulk(settings.aptos_node_url, signer, settings.market_address, fund)

    def seed(self, issuances: Sequence[Issuance], prices: Prices, plan: Plan, narrator: Narrator) -> Seeded:
        """Import, open books, trade. ChainRefused or SeedFailed say what went wrong."""
        with narrator.chapter("Imported and given a book each, not measured here", len(issuances)) as at:
            imported = self._import(issuances, at)
        venues = chosen(imported, prices, plan.books)
        tape = Tape(self._node, self._node.ledger().version + 1)
        with narrator.chapter("Agents bring credits and test dollars to the market"):
            addresses = self._prepare(venues, tape)
        chance = random.Random(plan.seed)  # noqa: S311 - no secret
        agents = Agents(venues, addresses, canonical(self._settings.quote_asset), chance)
        span = f"{plan.hours} hours" if plan.hours else "A session"
        with narrator.chapter(f"{span} of trading around published prices", plan.orders) as at:
            self._trade(agents, tape, plan, at)
        return Seeded(imported, venues, tape)

    def _import(self, issuances: Sequence[Issuance], at: Callable[[int], None]) -> list[Imported]:
        from carbonmarket_adapters.wiring import chain

        # Accounts are made one after the other, before threads ask for them.
        owners = {key: self._bulk.address(key) for key in makers()}
        importer = Importer(
            chain=chain.chain_access(),
            issuer=self._settings.issuer_key,
            quote=self._settings.quote_asset,
            public_url=self._settings.public_url,
            owner=lambda issuance: owners[maker_of(issuance)],
        )
        return importer.bring(issuances, at)

    def _prepare(self, venues: Sequence[Venue], tape: Tape) -> dict[str, str]:
        """Money for all, and what the makers hold of each venue's batch; the agents' addresses by key."""
        addresses = {key: canonical(self._bulk.address(key)) for key in (*makers(), *takers(), *strays())}
        tape.accounts.update(addresses.values())
        mint = self._signer.address(TEST_USDC)
        for key, address in addresses.items():
            self._bulk.send(key, market_calls.usdc_faucet(mint, address, _PURSE))
            self._bulk.send(key, market_calls.deposit(self._settings.quote_asset, _PURSE))
        for venue in venues:
            [held] = self._node.view(_BALANCE, [_METADATA], [addresses[venue.maker], venue.batch])
            if int(held):
                self._bulk.send(venue.maker, market_calls.deposit(venue.batch, int(held)))
        tape.read(self._bulk.settle())
        return addresses

    def _trade(self, agents: Agents, tape: Tape, plan: Plan, at: Callable[[int], None]) -> None:
        began_us = self._bulk.now_us()
        waves = max(1, min(_WAVES_MAX, plan.orders // _WAVE_ORDERS_MIN))
        for wave in range(waves):
            self._pass_time(began_us + wave * plan.hours * _HOUR_US // waves)
            share = plan.orders * (wave + 1) // waves - plan.orders * wave // waves
            for act in agents.wave(share, tape):
                self._bulk.send(act.key, act.call)
            tape.read(self._bulk.settle())
            at(min(tape.total().orders, plan.orders))
        self._pass_time(began_us + plan.hours * _HOUR_US)

    def _pass_time(self, to_us: int) -> None:
        if to_us > self._bulk.now_us():
            self._bulk.move_clock(to_us)


def maker_of(issuance: Issuance) -> str:
    """The maker to whom a project's credits go: always the same one."""
    return makers()[zlib.crc32(issuance.project.encode()) % len(makers())]


def chosen(imported: Sequence[Imported], prices: Prices, books: int) -> list[Venue]:
    """So many venues, of every type of project alike: each type's largest batch, then its second, and so on,
    other projects of a type before further batches of one."""
    ranked: list[tuple[int, int, Imported]] = []
    types: dict[str, list[Imported]] = defaultdict(list)
    for each in sorted(imported, key=lambda each: (-each.issuance.grams_project, each.issuance.row)):
        types[each.issuance.project_type].append(each)
    for alike in types.values():
        seen: Counter[str] = Counter()
        turns = []
        for each in alike:
            turns.append((seen[each.issuance.project], each))
            seen[each.issuance.project] += 1
        in_turn = sorted(turns, key=lambda turn: turn[0])
        ranked += [(rank, each.issuance.row, each) for rank, (_, each) in enumerate(in_turn)]
    return [_venue(each, prices) for _, _, each in sorted(ranked, key=lambda one: one[:2])[:books]]


def _venue(imported: Imported, prices: Prices) -> Venue:
    issuance = imported.issuance
    return Venue(
        book=imported.book,
        batch=canonical(imported.batch),
        project_type=issuance.project_type,
        published=prices.of(issuance.project_type).units,
        grams=issuance.grams_project,
        maker=maker_of(issuance),
    )
