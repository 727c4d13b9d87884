"""Connected accounts of sellers, and what moves our balance beside cards: transfers, our bank, fees."""

from __future__ import annotations

from infra.local.engines.stripe import params as take
from infra.local.engines.stripe.context import Context
from infra.local.engines.stripe.params import Params
from infra.local.engines.stripe.refusals import invalid
from infra.local.engines.stripe.store import Object

_TYPES = {"custom", "express", "standard"}

_PLATFORM = "US"
_SERVED = set(
    """
    AE AT AU BE BG BR CA CH CY CZ DE DK EE ES FI FR GB GI GR HK HR HU IE IT JP LI LT LU LV MT MX MY NL NO NZ
    PL PT RO SE SG SI SK TH US
    """.split()  # noqa: SIM905 - a list of two letters each reads worse
)
"""Where accounts under the full service agreement are opened (stripe.com/global)."""


def create_account(context: Context, params: Params) -> Object:
    """POST /v1/accounts: an account that can't be paid out until its owner has been through onboarding."""
    take.only(
        params, "business_type", "capabilities", "country", "default_currency", "email", "metadata", "type"
    )
    type = take.text(params, "type", "express")
    if type not in _TYPES:
        raise invalid(f"Invalid type: must be one of {', '.join(sorted(_TYPES))}", param="type")
    country = take.text(params, "country", _PLATFORM)
    if country not in _SERVED:
        # Stripe names no parameter here: github.com/antiwork/gumroad/issues/1876.
        raise invalid(
            f"Connected accounts in {country} cannot be created by platforms in {_PLATFORM}. Please contact "
            "us via https://support.stripe.com/contact if you need further assistance."
        )
    wanted = params.get("capabilities") or {"transfers": {"requested": "true"}}
    account = context.new(
        "account",
        "acct",
        type=type,
        business_type=params.get("business_type"),
        capabilities=dict.fromkeys(wanted, "inactive"),
        charges_enabled=False,
        country=country,
        default_currency=take.text(params, "default_currency", "usd"),
        details_submitted=False,
        email=params.get("email"),
        metadata=take.metadata(params),
        payouts_enabled=False,
        requirements={
            "currently_due": ["external_account", "tos_acceptance.date", "tos_acceptance.ip"],
            "disabled_reason": "requirements.past_due",
        },
    )
    return context.store.put(account)


def create_link(context: Context, params: Params) -> Object:
    """POST /v1/account_links: where the owner goes through onboarding."""
    take.only(params, "account", "refresh_url", "return_url", "type")
    if take.text(params, "type") != "account_onboarding":
        raise invalid("Invalid type: this server has account_onboarding alone", param="type")
    for name in ("refresh_url", "return_url"):
        if not take.text(params, name).startswith(("https://", "http://")):
            raise invalid("Not a valid URL", param=name, code="url_invalid")
    account = context.get("account", take.text(params, "account"), "account")
    now = context.store.now()
    page = f"{context.url}/_test/accounts/{account['id']}/onboarding"
    return {"object": "account_link", "created": now, "expires_at": now + 300, "url": page}


def onboard(context: Context, params: Params, id: str) -> Object:
    """What an owner's onboarding leads to: ``outcome`` complete, or restricted."""
    take.only(params, "outcome")
    outcome = take.text(params, "outcome", "complete")
    if outcome not in {"complete", "restricted"}:
        raise invalid("Invalid outcome: must be complete or restricted", param="outcome")
    account = context.get("account", id)
    works = outcome == "complete"
    account.update(details_submitted=True, charges_enabled=works, payouts_enabled=works)
    account["capabilities"] = dict.fromkeys(account["capabilities"], "active" if works else "inactive")
    account["requirements"] = {"currently_due": [], "disabled_reason": None if works else "under_review"}
    context.store.put(account)
    context.emit("account.updated", account)
    return account


def create_transfer(context: Context, params: Params) -> Object:
    """POST /v1/transfers"""
    take.only(params, "amount", "currency", "description", "destination", "metadata", "transfer_group")
    account = context.get("account", take.text(params, "destination"), "destination")
    if account["capabilities"].get("transfers") != "active":
        raise invalid(
            "Your destination account needs to have at least one of the following capabilities enabled: "
            "transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    amount, currency = _available(context, params)
    transfer = context.new(
        "transfer",
        "tr",
        amount=amount,
        amount_reversed=0,
        currency=currency,
        description=params.get("description"),
        destination=account["id"],
        metadata=take.metadata(params),
        reversed=False,
        transfer_group=params.get("transfer_group"),
    )
    transfer["balance_transaction"] = context.move("transfer", -amount, currency, transfer["id"])["id"]
    context.store.put(transfer)
    context.emit("transfer.created", transfer)
    return transfer


def create_payout(context: Context, params: Params) -> Object:
    """POST /v1/payouts: money goes to the platform's own bank, and has arrived."""
    take.only(params, "amount", "currency", "description", "metadata", "statement_descriptor")
    amount, currency = _available(context, params)
    payout = context.new(
        "payout",
        "po",
        amount=amount,
        arrival_date=context.store.now(),
        automatic=False,
        currency=currency,
        description=params.get("description"),
        metadata=take.metadata(params),
        method="standard",
        status="paid",
        type="bank_account",
    )
    payout["balance_transaction"] = context.move("payout", -amount, currency, payout["id"])["id"]
    context.store.put(payout)
    context.emit("payout.created", payout)
    context.emit("payout.paid", payout)
    return payout


def create_topup(context: Context, params: Params) -> Object:
    """POST /v1/topups: money comes from the platform's own bank, and is there at once."""
    take.only(params, "amount", "currency", "description", "metadata", "statement_descriptor")
    amount, currency = _amount(params)
    topup = context.new(
        "topup",
        "tu",
        amount=amount,
        currency=currency,
        description=params.get("description"),
        metadata=take.metadata(params),
        status="succeeded",
    )
    topup["balance_transaction"] = context.move("topup", amount, currency, topup["id"])["id"]
    context.store.put(topup)
    context.emit("topup.succeeded", topup)
    return topup


def take_fee(context: Context, params: Params) -> Object:
    """What Stripe takes for more than single payments, such as sellers' accounts, without anybody's call."""
    take.only(params, "amount", "currency")
    amount, currency = _amount(params)
    return context.move("stripe_fee", -amount, currency, None)


def _amount(params: Params) -> tuple[int, str]:
    amount, currency = take.integer(params, "amount"), take.text(params, "currency").lower()
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", param="amount")
    return amount, currency


def _available(context: Context, params: Params) -> tuple[int, str]:
    """The amount and currency asked for, which the platform's balance must have."""
    amount, currency = _amount(params)
    if context.store.net_of(currency) < amount:
        raise invalid(
            "You have insufficient available funds in your Stripe account. Try adding funds directly to "
            "your available balance.",
            code="balance_insufficient",
        )
    return amount, currency
