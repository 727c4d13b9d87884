"""The projection sees what the chain did, whoever did it, and is the same when folded afresh."""

from __future__ import annotations

from carbonmarket.chain import calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.projection.watch import differences, rebuilt
from tests.chain.market import BATCH_ID, ISSUED, PROJECT, START_S, Market

COMMITMENT = b"\x07" * 32


def test_an_issued_batch_is_projected_with_buffer_anchors_and_period(market: Market) -> None:
    batch = market.issue()
    assert (batch.issued, batch.buffered) == (ISSUED, ISSUED // 10)
    assert market.held("developer", batch) == ISSUED - batch.buffered
    period = market.projection.period(PROJECT, 1)
    assert period is not None
    assert (period.state, period.batch) == ("issued", batch.address)
    anchors = market.projection.anchors(PROJECT, START_S + 3_600, START_S + 4 * 3_600)
    assert [anchor.hour_s - START_S for anchor in anchors] == [3_600, 7_200, 10_800]
    assert market.projection.batches()[-1][1].id == BATCH_ID


def test_gifts_and_retirements_move_grams_and_serials(market: Market) -> None:
    batch = market.issue()
    market.do("developer", calls.give(batch.address, market.address("buyer"), 1_000))
    market.do(
        "buyer",
        calls.retire(
            batch.address, 400, "RET0000000001", COMMITMENT, "net zero", "DE", START_S, START_S + 86_400
        ),
    )
    market.watch()
    assert market.held("buyer", batch) == 600
    retirement = market.projection.retirement("RET0000000001")
    assert retirement is not None
    assert (retirement.serial_first, retirement.serial_last) == (
        batch.serial_first,
        batch.serial_first + 399,
    )
    after = market.projection.batch(BATCH_ID)
    assert after is not None
    assert after.retired == 400
    assert market.projection.retirements_of(batch.address) == [retirement]


def test_a_transfer_made_in_any_wallet_is_seen(market: Market) -> None:
    batch = market.issue()
    wallet = EntryCall(
        module="0x1::primary_fungible_store",
        function="transfer",
        type_args=("0x1::fungible_asset::Metadata",),
        args=(("address", batch.address), ("address", market.address("buyer")), ("u64", 250)),
    )
    market.fund("developer", 10**9)
    market.outbox.submit("wallet", "developer", wallet, sponsored=False)
    assert market.outbox.await_fate("wallet").success
    market.watch()
    assert market.held("buyer", batch) == 250


def test_a_projection_rebuilt_from_version_0_equals_the_one_in_place(market: Market) -> None:
    batch = market.issue()
    market.do("developer", calls.give(batch.address, market.address("buyer"), 1_000))
    market.watch()
    cursor = market.projection.cursor()
    assert cursor is not None
    anew = rebuilt(market.source, market.address_of_market, cursor.version)
    assert differences(market.projection.everything(), anew) == []
    assert ("batch", batch.address) in anew
