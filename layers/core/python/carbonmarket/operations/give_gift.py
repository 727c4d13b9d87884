"""Gifts: credits that wait for their recipient, with a text that only the two can read.

On chain stands the text's salted hash. The text itself lies sealed under a key of its own.
"""

from __future__ import annotations

import msgspec

from carbonmarket import canonical
from carbonmarket.authorise import require_role
from carbonmarket.chain import market_calls
from carbonmarket.chain.addresses import canonical as long_form
from carbonmarket.chain.calls import EntryCall
from carbonmarket.commitments import personal_commitment
from carbonmarket.errors import ChainRefused, IdempotencyMismatch, InvalidInput, MarketError, NotFound
from carbonmarket.operations.acts import (
    Desk,
    Done,
    Source,
    act,
    act_id,
    chain_key,
    earlier_act,
    parse_number,
    traded_batch,
)
from carbonmarket.operations.fates import TransactionExpired
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.personal import SubjectKeys
from carbonmarket.quantities import parse_grams
from carbonmarket.records.audit import told
from carbonmarket.records.market import Gift
from carbonmarket.records.principal import BUYER, DEVELOPER, Principal
from carbonmarket.records.transactions import GiftMessage


class MakeGift(msgspec.Struct, frozen=True, kw_only=True):
    """``to`` is an organisation's id or an account's address; ``message`` stays off chain."""

    to: str
    batch: str
    grams: str
    message: str = ""
    source: Source = "wallet"


class MakeGiftOf(msgspec.Struct, frozen=True, kw_only=True):
    """The same with the hash of a text that the wallet keeps itself (64 hex digits)."""

    to: str
    batch: str
    grams: str
    message_hash: str
    source: Source = "wallet"


class NamedGift(msgspec.Struct, frozen=True, kw_only=True):
    """A gift, for a wallet to claim or take back."""

    gift: str


class _Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sealed: the text, and the salt (hex) with which it opens the hash."""

    message: str
    salt: str


def make_gift(
    request: MakeGift, *, caller: Principal, key: str, desk: Desk, subjects: SubjectKeys, salt: bytes
) -> Done:
    """Set grams aside for the recipient; ``salt`` is 32 random bytes, used the first time only."""
    require_role(caller, BUYER, DEVELOPER)
    giver = own_organisation(caller, desk.accounts)
    subject = act_id(caller, key)
    try:
        before = earlier_act("gifts::make", caller=caller, key=key, desk=desk)
        if before is not None:
            return _required_same(before, request, desk)
        text = _Text(message=request.message, salt=salt.hex())
        digest = personal_commitment(salt, {"message": request.message})
        named = MakeGiftOf(
            to=request.to,
            batch=request.batch,
            grams=request.grams,
            message_hash=digest.hex(),
            source=request.source,
        )
        call = call_of_making(named, desk)
        desk.kept.save_gift_message(
            GiftMessage(
                hash="0x" + digest.hex(),
                giver=giver.account_address,
                sealed=subjects.seal(subject, canonical.dumps(msgspec.to_builtins(text))),
            )
        )
        return act("make_gift", call, caller=caller, key=key, desk=desk)
    except MarketError as ended:
        # Nobody could have a text without a gift erased.
        if _comes_to_nothing(ended, subject, desk):
            subjects.erase(subject)
        raise


def _comes_to_nothing(ended: MarketError, id: str, desk: Desk) -> bool:
    """Whether no gift comes of what was sent so far."""
    if isinstance(ended, ChainRefused):
        # What a node refused may still be taken.
        return ended.abort is not None
    # Refused before its bytes were kept, as where the budget is spent, it may be made anew with its text.
    return isinstance(ended, TransactionExpired) or desk.chain.fate(chain_key(id)).hash is None


def _required_same(before: Done, request: MakeGift, desk: Desk) -> Done:
    """The earlier act under the key, which must have made this gift if it made one."""
    made = before.event("gifts::GiftMade")
    asked = (_recipient(request.to, desk.accounts), traded_batch(request.batch, desk).address, request.grams)
    if made and (long_form(made["recipient"]), long_form(made["batch"]), made["grams"]) != asked:
        raise IdempotencyMismatch("this Idempotency-Key made another gift; take a new key")
    return before


def erase_gift_message(gift: str, *, caller: Principal, desk: Desk, subjects: SubjectKeys) -> Gift:
    """Forget the text of a gift that the caller gave. Its hash stays on chain and tells nothing."""
    found = desk.market.gift(parse_number(gift, "gift"))
    if found is None or found.giver != own_organisation(caller, desk.accounts).account_address:
        raise NotFound("there is no gift with this number among those you gave", field="gift")
    kept = desk.kept.gift_message(found.message_hash)
    if kept is not None and kept.giver == found.giver:
        subject = kept.sealed.subject
        subjects.erase(subject)
        desk.kept.save_gift_message(kept, told(caller, "erase_gift_message", subject, "erased", desk.now_us))
    return found


def claim_gift(gift: str, *, caller: Principal, key: str, desk: Desk) -> Done:
    """Take a gift to the wallet."""
    call = call_of_claim(NamedGift(gift=gift), desk)
    return act("claim_gift", call, caller=caller, key=key, desk=desk)


def take_back_gift(gift: str, *, caller: Principal, key: str, desk: Desk) -> Done:
    """Take a gift back that nobody has claimed; it becomes claimable for the giver."""
    call = call_of_taking_back(NamedGift(gift=gift), desk)
    return act("take_back_gift", call, caller=caller, key=key, desk=desk)


def get_gift(gift: str, *, caller: Principal, desk: Desk, subjects: SubjectKeys) -> tuple[Gift, str | None]:
    """A gift that the caller gave or was given, and its text; None where it is kept elsewhere or erased."""
    account = own_organisation(caller, desk.accounts).account_address
    found = desk.market.gift(parse_number(gift, "gift"))
    if found is None or account not in (found.giver, found.recipient):
        raise NotFound("there is no gift with this number among yours", field="gift")
    kept = desk.kept.gift_message(found.message_hash)
    opened = subjects.open(kept.sealed) if kept is not None and kept.giver == found.giver else None
    return found, msgspec.json.decode(opened, type=_Text).message if opened is not None else None


def list_gifts(after: str | None, first: int, *, caller: Principal, desk: Desk) -> list[tuple[str, Gift]]:
    """The gifts that the caller's organisation gave or was given."""
    account = own_organisation(caller, desk.accounts).account_address
    return desk.market.gifts_of(account, after=after, first=first)


def call_of_making(request: MakeGiftOf, desk: Desk) -> EntryCall:
    """The call that sets grams aside."""
    batch = traded_batch(request.batch, desk)
    return market_calls.make_gift(
        recipient=_recipient(request.to, desk.accounts),
        batch=batch.address,
        grams=parse_grams(request.grams, "grams"),
        message_hash=bytes.fromhex(request.message_hash),
        from_wallet=request.source == "wallet",
    )


def call_of_claim(request: NamedGift, desk: Desk) -> EntryCall:
    """The call that claims a gift."""
    return market_calls.claim_gift(parse_number(request.gift, "gift"))


def call_of_taking_back(request: NamedGift, desk: Desk) -> EntryCall:
    """The call that takes a gift back."""
    return market_calls.take_back_gift(parse_number(request.gift, "gift"))


def _recipient(to: str, accounts: AccountsStore) -> str:
    if to.startswith("0x"):
        return long_form(to)
    organisation = accounts.organisation(to)
    if organisation is None:
        raise InvalidInput("to must be the id of an organisation, or an account's address", field="to")
    return organisation.account_address
