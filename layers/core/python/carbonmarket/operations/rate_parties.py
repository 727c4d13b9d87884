"""Rate parties by what they did: trades, reviews, and the readings of their periods. For a schedule.

Each rating is a statement, kept before its hash is sent. Evidence, chain key and the contract's own reference
make it count once: a run that dies anywhere is finished by the next. What the chain already rated is passed
over.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import msgspec

from carbonmarket import canonical, ratings
from carbonmarket.chain import calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import NotYetFinal
from carbonmarket.methodologies.report import parse_report
from carbonmarket.operations.purchase import reached
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.devices import IngestStore
from carbonmarket.ports.documents import ReportFiles
from carbonmarket.ports.market import MarketProjection
from carbonmarket.ports.projection import ChainProjection
from carbonmarket.ports.purchases import PurchasesStore
from carbonmarket.ports.ratings import RatingEvidence, RatingMarks
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.market import Trade
from carbonmarket.records.ratings import Statement
from carbonmarket.records.registry import Period
from carbonmarket.reputation import DATA_QUALITY

_PAGE = 100
_TRADES_TOGETHER = 16
"""Two ratings of each are on their way at once: a third of what may be of one account."""
_WAIT_S = 10
_VERIFICATION_OF_ACCOUNT = 0
_FINAL = ("registered", "rejected")
_COUNTED_BEFORE = ("reputation_system::E_ALREADY_RATED", "reputation_system::E_PARTY_UNCHANGED")


class Ratings(msgspec.Struct, frozen=True, kw_only=True):
    """The stores, the chain, and ``oracle``: the key id that rates. ``treasury`` is the account that buys for
    purchases by card. ``goes_on`` says whether there is time to begin another organisation or project, and
    ``most`` is about how many ratings a run makes: the sponsor's budget is not for them alone."""

    accounts: AccountsStore
    registry: RegistryStore
    reports: ReportFiles
    rejects: IngestStore
    market: MarketProjection
    credits: ChainProjection
    purchases: PurchasesStore
    chain: ChainAccess
    evidence: RatingEvidence
    marks: RatingMarks
    oracle: str
    treasury: str
    goes_on: Callable[[], bool] = lambda: True
    most: int = 1_000


class RateResult(msgspec.Struct, kw_only=True):
    """What one run did: accounts verified, ratings made, organisations and projects left for the next run,
    and the contract's sentences where it refused."""

    verified: int = 0
    ratings: int = 0
    waiting: int = 0
    refusals: list[str] = []


def rate_parties(desk: Ratings) -> RateResult:
    """Verify the accounts of admitted organisations, then rate by all that is new.

    Whose turn is first is left to chance: where one run has no time for all, nobody is always the last.
    """
    done = RateResult()
    organisations = [organisation for _, organisation in desk.accounts.organisations(None)]
    work: list[Callable[[], None]] = [
        *(_bound(_rate_trades, desk, each, done) for each in organisations),
        *(_bound(_rate_periods, desk, project.id, done) for _, project in desk.registry.projects(None)),
    ]
    random.shuffle(work)
    for each in (*(_bound(_verify, desk, each, done) for each in organisations), *work):
        if not _goes_on(desk, done):
            done.waiting += 1
            continue
        try:
            each()
        except NotYetFinal:
            # What was not marked as done is asked for again by the next run.
            done.waiting += 1
    return done


def _goes_on(desk: Ratings, done: RateResult) -> bool:
    return done.ratings < desk.most and desk.goes_on()


def _bound(work: Callable[..., None], *arguments: object) -> Callable[[], None]:
    return lambda: work(*arguments)


def _verify(desk: Ratings, organisation: Organisation, done: RateResult) -> None:
    """Say on chain whose the account is, where it doesn't say so yet."""
    account, party = organisation.account_address, organisation.commitment
    if desk.market.party_of(account) == f"0x{party}":
        return
    statement = Statement(
        dimension=_VERIFICATION_OF_ACCOUNT,
        reference=organisation.id,
        subject=account,
        counterparty="",
        mark=0,
        weight=0,
        facts={"organisation": organisation.id, "kind": organisation.kind, "commitment": party},
    )
    name = _sent(
        desk,
        f"verified/{organisation.id}",
        statement,
        lambda kept, digest: calls.verify_account(kept.subject, bytes.fromhex(party), digest),
    )
    done.verified += _settled(desk, name, done)


def _rate_trades(desk: Ratings, organisation: Organisation, done: RateResult) -> None:
    """Both sides of what the organisation sold to others that are verified."""
    account = organisation.account_address
    new = reversed(list(_new_trades(desk, account)))
    while trades := list(islice(new, _TRADES_TOGETHER)):
        if not _goes_on(desk, done):
            raise NotYetFinal(f"trades of {organisation.id} are left for the next run")
        _rate(desk, [each for trade in trades for each in _said_of(desk, trade, organisation)], done)
        desk.marks.save_rated_up_to(account, trades[-1].index)
    for trade in desk.marks.card_sales(account):
        _rate_card_sale(desk, trade, organisation, done)


def _said_of(desk: Ratings, trade: Trade, organisation: Organisation) -> list[Statement]:
    """What is said of a trade of the organisation's; it is said with its seller."""
    seller, buyer = ratings.sides(trade)
    if seller != organisation.account_address:
        return []
    if buyer == desk.treasury:
        desk.marks.save_card_sale(seller, trade)
        return []
    return _said_of_sale(desk, trade, organisation, desk.accounts.organisation_at(buyer))


def _rate_card_sale(desk: Ratings, trade: Trade, seller: Organisation, done: RateResult) -> None:
    """What the treasury bought for a purchase by card counts with who bought, once the credits are theirs.

    What comes of one that is held is not known yet; one that failed left the credits with the treasury.
    """
    purchase = desk.purchases.purchase_filled_by(trade.transaction)
    if purchase is None or (purchase.state != "failed" and not reached(purchase, "delivered")):
        return
    if purchase.state != "failed":
        buyer = desk.accounts.organisation(purchase.organisation)
        _rate(desk, _said_of_sale(desk, trade, seller, buyer, paid=not purchase.disputed), done)
    desk.marks.end_card_sale(seller.account_address, trade)


def _said_of_sale(
    desk: Ratings, trade: Trade, seller: Organisation, buyer: Organisation | None, *, paid: bool = True
) -> list[Statement]:
    batch = desk.credits.batch_at(trade.batch)
    if buyer is None or buyer.id == seller.id or batch is None:
        return []
    delivery = ratings.delivery(trade, batch, buyer.account_address)
    return [delivery, ratings.payment(trade, buyer.account_address)] if paid else [delivery]


def _new_trades(desk: Ratings, account: str) -> Iterator[Trade]:
    """The account's trades that have not rated, the newest first."""
    last = desk.marks.rated_up_to(account)
    after = None
    while page := desk.market.trades_of(account, after=after, first=_PAGE):
        for _, trade in page:
            if last is not None and trade.index <= last:
                return
            yield trade
        after = page[-1][0]


def _rate_periods(desk: Ratings, project: str, done: RateResult) -> None:
    """What readings and reviewers say of the developer, for each period that has come to its end."""
    rated = desk.marks.rated_periods(project)
    for _, period in desk.registry.periods(project, None):
        if period.state not in _FINAL or period.id in rated:
            continue
        developer = desk.accounts.organisation(period.organisation)
        if developer is not None:
            _rate(desk, list(_of_period(desk, period, developer)), done)
        desk.marks.save_rated_period(project, period.id)


def _of_period(desk: Ratings, period: Period, developer: Organisation) -> Iterator[Statement]:
    account = developer.account_address
    content = desk.reports.report(period.project, period.id, period.report_hash)
    if content is not None:
        rejected = ratings.rejected_readings(
            period, (reject for _, reject in desk.rejects.rejects(period.project))
        )
        yield ratings.data_quality(period, parse_report(content), rejected, account)
    for review in desk.registry.reviews(period.project, period.id):
        if review.vote is not None and review.organisation != developer.id:
            yield ratings.review(review, account)


def _rate(desk: Ratings, statements: Iterable[Statement], done: RateResult) -> None:
    """Send what is said, all of it before the chain is waited for."""
    sent = [_sent(desk, _name(statement), statement, _call_of) for statement in statements]
    for name in sent:
        done.ratings += _settled(desk, name, done)


def _name(statement: Statement) -> str:
    return f"{statement.dimension}/{statement.subject}/{statement.reference}"


def _call_of(kept: Statement, digest: bytes) -> EntryCall:
    if kept.dimension == DATA_QUALITY:
        return calls.rate_data(kept.subject, kept.reference, kept.mark, kept.weight, digest)
    return calls.rate_party(
        kept.subject, kept.counterparty, kept.dimension, kept.reference, kept.mark, kept.weight, digest
    )


def _sent(
    desk: Ratings, name: str, statement: Statement, call_of: Callable[[Statement, bytes], EntryCall]
) -> str:
    """Keep the statement and send the call with its hash; the name that was given.

    What was kept first counts: facts may have changed since, and the bytes on chain must be those kept.
    """
    content = desk.evidence.keep(name, canonical.dumps(msgspec.to_builtins(statement)))
    kept = msgspec.json.decode(content, type=Statement)
    desk.chain.submit(f"rate/{name}", desk.oracle, call_of(kept, hashlib.sha256(content).digest()))
    return name


def _settled(desk: Ratings, name: str, done: RateResult) -> int:
    """1 if the contract took what was sent under the name, else 0."""
    fate = desk.chain.await_fate(f"rate/{name}", _WAIT_S)
    if fate.state == "dead":
        raise NotYetFinal(f"the rating {name} expired before the chain took it")
    if not fate.success and fate.abort not in _COUNTED_BEFORE:
        done.refusals.append(f"{name}: {fate.reason}")
    return int(fate.success)
