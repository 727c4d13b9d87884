"""Saga settle_trade: the treasury's float takes the credits from the books, within the quote's price."""

from __future__ import annotations

from collections.abc import Iterator

from carbonmarket import ids
from carbonmarket.chain import market_calls
from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import Conflict
from carbonmarket.operations.create_quote import UNITS_PER_CENT
from carbonmarket.operations.fates import committed_fate, final_fate
from carbonmarket.operations.purchase import Till, advance, load, open_case, quote_of, reached
from carbonmarket.operations.purchase_payment import require_authorised
from carbonmarket.ports.chain import Fate
from carbonmarket.ports.registry import Kept
from carbonmarket.records.money import EXCHANGE, TREASURY_FLOAT, Transfer
from carbonmarket.records.purchases import CardPurchase, Case, Fill, Payout, Quote

_BALANCE = "0x1::primary_fungible_store::balance"
_METADATA = "0x1::fungible_asset::Metadata"
# Longer than any card is held, so that what the order spends can still be posted.
_FLOAT_HELD_US = 30 * 86_400 * 1_000_000


class NothingFilled(Conflict):
    """The order met no offer within its price; nothing was bought."""

    code = "nothing-filled"


class FloatTooLow(Conflict):
    """The treasury's account has too few quote tokens for the order now."""

    code = "float-too-low"


def order_key(purchase: str) -> str:
    """The chain key of the order."""
    return f"purchase/{purchase}/order"


def float_key(purchase: str) -> str:
    """The ledger key of what is set aside of the float."""
    return f"purchase/{purchase}/float"


def order_call(quote: Quote, quote_asset: str) -> EntryCall:
    """The immediate-or-cancel order of a quote, out of what the treasury may claim.

    What an order doesn't spend comes back there.
    """
    if quote.criteria is None:
        (leg,) = quote.legs
        return market_calls.place_order(
            book=leg.book,
            is_bid=True,
            kind=market_calls.IOC,
            price=quote.price_cap,
            grams=leg.grams,
            fee_cap_bps=quote.fee_cap_bps,
            labels=0,
            expires_at=0,
            from_wallet=False,
        )
    return market_calls.buy_by_criteria(
        quote=quote_asset,
        books=[leg.book for leg in quote.legs],
        grams=[leg.grams for leg in quote.legs],
        price=quote.price_cap,
        methodologies=quote.criteria.methodologies,
        countries=quote.criteria.countries,
        vintages=quote.criteria.vintages,
        labels=quote.criteria.labels,
        fee_cap_bps=quote.fee_cap_bps,
        from_wallet=False,
    )


def place(purchase: str, till: Till) -> str:
    """Set the float aside and submit the order, signed by the treasury's key; the transaction's hash.

    PaymentDeclined where the card holds the amount no longer, also before an order that is sent anew.
    Conflict where the float's limit is reached, FloatTooLow where its account has less than the ledger says
    it may spend; neither sends anything.
    """
    kept = load(purchase, till)
    quote = quote_of(kept.record, till)
    if not reached(kept.record, "ordered"):
        require_authorised(kept.record, till)
        _set_aside(kept.record, quote, till)
        bring = _to_bring(quote, till)
        kept = advance(kept, "ordered", "order_purchase", till, bring_units=bring)
    elif not reached(kept.record, "filled") and _is_unsent(purchase, till):
        # An earlier try found the node away, or its bytes died: since then the card may have been let go.
        require_authorised(kept.record, till)
    if kept.record.bring_units and not reached(kept.record, "filled"):
        _bring(kept.record, till)
    return till.chain.submit(order_key(purchase), till.treasury_key, order_call(quote, till.quote_asset))


def _is_unsent(purchase: str, till: Till) -> bool:
    """Whether nothing stands of the order, so that it would be sent as a new one."""
    fate = till.chain.fate(order_key(purchase))
    return fate.hash is None or fate.state == "dead"


def _set_aside(purchase: CardPurchase, quote: Quote, till: Till) -> None:
    spent = Transfer(
        debit=EXCHANGE,
        credit=TREASURY_FLOAT,
        amount=quote.escrow_units,
        currency="USDC",
        reason="credits bought",
        references={"purchase": purchase.id},
    )
    till.ledger.pend(float_key(purchase.id), spent, till.now_us, purchase.created_us + _FLOAT_HELD_US)


def _to_bring(quote: Quote, till: Till) -> int:
    """What has to come from the treasury's wallet, where its claimable balance is too small for all that is
    set aside: other purchases' orders may take from it first."""
    account = [till.treasury, till.quote_asset]
    claimable = int(till.chain.view("market_vault::balance", [], account)[0])
    aside = sum(
        each.credits_pending for each in till.ledger.balances(TREASURY_FLOAT) if each.currency == "USDC"
    )
    lacking = max(0, aside - claimable)
    wallet = int(till.chain.view(_BALANCE, [_METADATA], account)[0]) if lacking else 0
    if quote.escrow_units > claimable + wallet:
        raise FloatTooLow("the treasury can't pay for this at the moment; try again later, or buy less")
    return min(lacking, wallet)


def _bring(purchase: CardPurchase, till: Till) -> None:
    key = f"purchase/{purchase.id}/bring"
    till.chain.submit(key, till.treasury_key, market_calls.deposit(till.quote_asset, purchase.bring_units))
    # Where it was refused another purchase has brought what the wallet had; whether the order can be paid now
    # the contract says when it comes.
    committed_fate(till.chain, key)


def await_fill(purchase: str, till: Till) -> CardPurchase:
    """The purchase with what its order bought, once the chain has it for good, and the float's share posted.

    NothingFilled if that is nothing. NotYetFinal, TransactionExpired and ChainRefused as of any call.
    """
    kept = load(purchase, till)
    if reached(kept.record, "filled"):
        return kept.record
    fate = final_fate(till.chain, order_key(purchase))
    fills = fills_of(fate, quote_of(kept.record, till), till)
    if not fills:
        raise NothingFilled("no offer was left within the quote's price; ask for a new quote")
    return keep_fills(kept, fills, fate, till).record


def fills_of(fate: Fate, quote: Quote, till: Till) -> tuple[Fill, ...]:
    """What a transaction's order bought, book by book."""
    found = []
    for leg in quote.legs:
        fills = [event for event in _taken(fate, till) if int(event["book"]) == leg.book]
        if fills:
            found.append(
                Fill(
                    book=leg.book,
                    batch=leg.batch,
                    address=leg.address,
                    grams=sum(int(fill["grams"]) for fill in fills),
                    units=sum(int(fill["quote"]) for fill in fills),
                    fee_units=sum(int(fill["taker_fee"]) for fill in fills),
                )
            )
    return tuple(found)


def keep_fills(
    kept: Kept[CardPurchase], fills: tuple[Fill, ...], fate: Fate, till: Till
) -> Kept[CardPurchase]:
    """Post what was spent of the float, and keep the fills with what is owed to sellers who chose fiat."""
    spent = sum(fill.units + fill.fee_units for fill in fills)
    references = {"transaction": fate.hash or ""}
    _tell_of_own(kept.record, fate, till)
    till.ledger.post_pending(float_key(kept.record.id), spent, till.now_us, references=references)
    return advance(
        kept,
        "filled",
        "fill_purchase",
        till,
        payouts=tuple(_payouts(kept.record, fate, till)),
        fills=fills,
        transaction=fate.hash or "",
    )


def _taken(fate: Fate, till: Till) -> Iterator[dict[str, str]]:
    """What the orders took that the transaction placed for the treasury: it may also have given a pending
    order its turn, another one of the treasury's too."""
    placed = {
        (data["book"], data["order"])
        for data in _told(fate, "OrderPlaced")
        if canonical(data["account"]) == canonical(till.treasury)
    }
    for data in _told(fate, "OrderFilled"):
        if (data["book"], data["taker_order"]) in placed:
            yield data


def _told(fate: Fate, name: str) -> Iterator[dict[str, str]]:
    for event in fate.events:
        if event["type"].endswith(f"::{name}"):
            yield event["data"]


def _earned(fate: Fate, till: Till) -> dict[str, int]:
    """Units that each seller who is an organisation here earned, its own fee taken off."""
    earned: dict[str, int] = {}
    for fill in _taken(fate, till):
        seller = till.accounts.organisation_at(canonical(fill["maker"]))
        if seller is not None:
            earned[seller.id] = earned.get(seller.id, 0) + int(fill["quote"]) - int(fill["maker_fee"])
    return earned


def _tell_of_own(purchase: CardPurchase, fate: Fate, till: Till) -> None:
    """Open a case where the order took offers of the buyer's own, placed after its quote: a card that pays
    whoever holds it."""
    units = _earned(fate, till).get(purchase.organisation, 0)
    if not units:
        return
    case = Case(
        id=ids.derive("CAS", "self_trade", purchase.id),
        kind="self_trade",
        purchase=purchase.id,
        amount_cents=units // UNITS_PER_CENT,
        text=f"the order took offers of the buyer {purchase.organisation} itself; they are not paid out in "
        f"fiat, and their proceeds of {units} quote units are claimable in its account on chain",
        opened_us=till.now_us,
    )
    open_case(case, till)


def _payouts(purchase: CardPurchase, fate: Fate, till: Till) -> Iterator[Payout]:
    """What each seller on a custodial account who chose fiat earned; nothing of this kind to the buyer."""
    for organisation, units in sorted(_earned(fate, till).items()):
        choice = till.store.payout_choice(organisation)
        # Less than a cent stays claimable on chain.
        whole = units - units % UNITS_PER_CENT
        if choice is None or choice.record.payout != "fiat" or not whole:
            continue
        if organisation == purchase.organisation:
            continue
        yield Payout(
            id=ids.derive("PAY", purchase.id, organisation),
            purchase=purchase.id,
            organisation=organisation,
            account=choice.record.account,
            units=whole,
            cents=whole // UNITS_PER_CENT,
            currency=quote_of(purchase, till).currency,
            state="due",
            created_us=till.now_us,
        )
