"""Between an account's wallet and what it may claim of the market."""

from __future__ import annotations

import msgspec

from carbonmarket.chain import market_calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import ChainRefused
from carbonmarket.operations.acts import Desk, Done, act, asset_address, named_book, open_orders, parse_units
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.records.principal import Principal

_BALANCE = "0x1::primary_fungible_store::balance"
_METADATA = "0x1::fungible_asset::Metadata"


class MoveBalance(msgspec.Struct, frozen=True, kw_only=True):
    """``asset`` is "quote" or a batch's id; ``amount`` its quote units or grams."""

    asset: str
    amount: str


class Cash(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has in the quote asset: in its wallet, claimable, and held by its open bids."""

    asset: str
    wallet: int
    claimable: int
    in_orders: int


def deposit(request: MoveBalance, *, caller: Principal, key: str, desk: Desk) -> Done:
    """Bring something to trade with, so that orders need no wallet."""
    return _moved("deposit", call_of_deposit(request, desk), caller=caller, key=key, desk=desk)


def claim(request: MoveBalance, *, caller: Principal, key: str, desk: Desk) -> Done:
    """Fetch to the wallet what trades, ended orders and gifts have left."""
    return _moved("claim", call_of_claim(request, desk), caller=caller, key=key, desk=desk)


def _moved(verb: str, call: EntryCall, *, caller: Principal, key: str, desk: Desk) -> Done:
    try:
        return act(verb, call, caller=caller, key=key, desk=desk)
    except ChainRefused as refused:
        # Where it comes from is no choice here: more than there is can only be the amount's fault.
        field = "amount" if refused.field == "source" else refused.field
        raise ChainRefused(refused.reason, abort=refused.abort, field=field) from None


def get_cash(*, caller: Principal, desk: Desk) -> Cash:
    """The caller's money. The wallet is asked of the chain, the rest of the projection."""
    account = own_organisation(caller, desk.accounts).account_address
    return Cash(
        asset=desk.quote,
        wallet=int(desk.chain.view(_BALANCE, [_METADATA], [account, desk.quote])[0]),
        claimable=desk.market.claimable(account, desk.quote),
        in_orders=_in_bids(account, desk),
    )


def _in_bids(account: str, desk: Desk) -> int:
    bids = (order for order in open_orders(account, desk) if order.is_bid)
    return sum(order.held for order in bids if named_book(order.book, desk).quote == desk.quote)


def call_of_deposit(request: MoveBalance, desk: Desk) -> EntryCall:
    """The call that brings."""
    return market_calls.deposit(asset_address(request.asset, desk), parse_units(request.amount, "amount"))


def call_of_claim(request: MoveBalance, desk: Desk) -> EntryCall:
    """The call that fetches."""
    return market_calls.claim(asset_address(request.asset, desk), parse_units(request.amount, "amount"))
