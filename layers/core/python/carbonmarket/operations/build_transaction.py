"""A wallet's owner asks for a transaction to sign: the market builds it, the sponsor will pay for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from carbonmarket import canonical, ids, schema
from carbonmarket.authorise import require_role
from carbonmarket.chain.addresses import canonical as long_form
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import IdempotencyMismatch
from carbonmarket.operations import (
    amend_order,
    cancel_order,
    give_gift,
    move_balance,
    place_order,
    route_order,
    trade_listing,
)
from carbonmarket.operations.acts import Desk
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.ports.registry import NEW
from carbonmarket.ports.transactions import Wallets
from carbonmarket.records.audit import told
from carbonmarket.records.principal import BUYER, DEVELOPER, Principal
from carbonmarket.records.transactions import BuiltTransaction, WalletKeys


class BuildTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """``arguments`` are the action's, as its own request has them; ``account`` is the wallet's address."""

    account: str
    keys: WalletKeys
    action: str
    arguments: dict[str, Any]


class Action(msgspec.Struct, frozen=True):
    """An act that a wallet can sign: its arguments' schema and record, and the call that comes of them."""

    schema: str
    arguments: type[msgspec.Struct]
    call_of: Callable[[Any, Desk], EntryCall]


ACTIONS: dict[str, Action] = {
    "place_order": Action("http/place_order", place_order.PlaceOrder, place_order.call_of),
    "place_criteria_order": Action(
        "http/place_criteria_order", route_order.PlaceCriteriaOrder, route_order.call_of
    ),
    "amend_order": Action("acts/amend_order", amend_order.AmendOrderOf, amend_order.call_of),
    "cancel_order": Action("acts/cancel_order", cancel_order.CancelOrder, cancel_order.call_of),
    "cancel_orders": Action("acts/cancel_orders", cancel_order.CancelOrders, cancel_order.call_of_page),
    "create_listing": Action(
        "http/create_listing", trade_listing.CreateListing, trade_listing.call_of_creation
    ),
    "set_listing_price": Action(
        "acts/set_listing_price", trade_listing.SetListingPriceOf, trade_listing.call_of_price
    ),
    "cancel_listing": Action("acts/listing", trade_listing.NamedListing, trade_listing.call_of_cancellation),
    "buy_listing": Action("acts/buy_listing", trade_listing.BuyListingOf, trade_listing.call_of_purchase),
    "make_gift": Action("acts/make_gift", give_gift.MakeGiftOf, give_gift.call_of_making),
    "claim_gift": Action("acts/gift", give_gift.NamedGift, give_gift.call_of_claim),
    "take_back_gift": Action("acts/gift", give_gift.NamedGift, give_gift.call_of_taking_back),
    "deposit": Action("http/deposit", move_balance.MoveBalance, move_balance.call_of_deposit),
    "claim": Action("http/claim", move_balance.MoveBalance, move_balance.call_of_claim),
}
"""What wallets can have built, by name."""


def build_transaction(
    request: BuildTransaction, *, caller: Principal, key: str, desk: Desk, wallets: Wallets
) -> BuiltTransaction:
    """Build the bytes to sign and keep them. The same key again answers the same transaction.

    Admitted organisations alone, since the sponsor pays within their budgets. What the projection can tell is
    refused as for a custodial account. The bytes expire in 10 minutes where
    one signs, in 72 hours where several must.
    """
    require_role(caller, BUYER, DEVELOPER)
    own_organisation(caller, desk.accounts)
    id = ids.derive("TXN", caller.organisation, key)
    digest = canonical.digest(msgspec.to_builtins(request)).hex()
    kept = desk.kept.built(id)
    if kept is not None:
        if kept.record.arguments_digest != digest:
            raise IdempotencyMismatch("this Idempotency-Key built another transaction")
        return kept.record
    action = ACTIONS[request.action]
    schema.check(action.schema, request.arguments, "/arguments")
    call = action.call_of(msgspec.convert(request.arguments, action.arguments), desk)
    wanted = BuiltTransaction(
        id=id,
        organisation=caller.organisation,
        account=long_form(request.account),
        keys=request.keys,
        action=request.action,
        arguments_digest=digest,
        raw="",
        message="",
        sequence=0,
        expiration_s=0,
        created_us=desk.now_us,
    )
    built = wallets.build(wanted, call)
    desk.kept.save_built(built, NEW, told(caller, "build_transaction", id, "awaits_signatures", desk.now_us))
    return built
