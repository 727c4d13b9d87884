"""The adapters of purchases by card."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import settings

if TYPE_CHECKING:
    from carbonmarket.operations.purchase import Till
    from carbonmarket.ports.purchases import PurchasesStore, PurchaseTasks
    from carbonmarket.screening import Screening


@functools.cache
def purchases() -> PurchasesStore:
    """Quotes, purchases, payouts, cases, events."""
    from carbonmarket_adapters.dynamo.purchases import DynamoPurchases

    return DynamoPurchases(settings())


@functools.cache
def purchase_tasks() -> PurchaseTasks:
    """Task tokens of purchases that wait."""
    from carbonmarket_adapters.dynamo.purchases import DynamoPurchaseTasks

    return DynamoPurchaseTasks(settings())


@functools.cache
def screening() -> Screening:
    """Who may buy by card."""
    from carbonmarket.screening import ThresholdAndList

    chosen = settings()
    denied = frozenset(name.strip() for name in chosen.card_denied.split(",") if name.strip())
    return ThresholdAndList(amount_max_cents=chosen.card_cents_max, denied=denied)


@functools.cache
def treasury() -> str:
    """The float's account on chain."""
    from carbonmarket_adapters.wiring import chain

    return chain.signer().address(settings().treasury_key)


def till(now_us: int) -> Till:
    """Where purchases are settled, at a time."""
    from carbonmarket.operations.purchase import Till
    from carbonmarket_adapters.wiring import chain, money, registry

    chosen = settings()
    return Till(
        store=purchases(),
        tasks=purchase_tasks(),
        sagas=registry.sagas(),
        accounts=registry.accounts(),
        registry=registry.registry(),
        chain=chain.chain_access(),
        ledger=money.ledger(),
        payments=money.payments,
        screening=screening(),
        notifications=registry.notifications(),
        subjects=registry.subjects,
        treasury=treasury(),
        treasury_key=chosen.treasury_key,
        quote_asset=chosen.quote_asset,
        risk_period_s=chosen.card_risk_s,
        public_url=chosen.public_url,
        now_us=now_us,
    )
