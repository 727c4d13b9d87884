"""Each law is broken in the system itself, is seen to be broken, and holds again once that is put right.

What is judged is the machine after the demo: its tables, its chain, its logs. A changed projection always
differs from the one that is folded anew, so that law falls with the one that the change was meant for.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from carbonmarket.chain import calls
from carbonmarket.ports.projection import Key
from carbonmarket.records import chain as records
from infra.local.demo.results import judge
from infra.local.demo.story import GIVEN_G
from tests.e2e.market import Market, eventually, unwatched, watch


@pytest.fixture(scope="module", autouse=True)
def still(market: Market) -> Iterator[None]:
    """Nobody but these tests moves the projection."""
    with unwatched(market):
        yield


@pytest.fixture(autouse=True)
def sound(market: Market) -> Iterator[None]:
    """Each test leaves every law holding, as it found it."""
    yield
    watch()
    assert broken(market) == set()


def broken(market: Market, **changes: Any) -> set[str]:
    """The laws that don't hold now."""
    arguments = {"retired_before": market.told.retired_before, "personal": market.told.personal, **changes}
    return {law.name for law in judge(market.machine, **arguments) if not law.holds}


def projected(market: Market, kind: type[msgspec.Struct], **fields: Any) -> tuple[Key, Any]:
    """The one projected record of a kind with these fields, and its key."""
    from carbonmarket_adapters.wiring import chain

    found = [
        (key, record)
        for key, record in chain.projection().everything().items()
        if isinstance(record, kind) and all(getattr(record, name) == value for name, value in fields.items())
    ]
    assert len(found) == 1, found
    return found[0]


@contextmanager
def rewritten(key: Key, record: Any, **fields: Any) -> Iterator[None]:
    """The record stands changed in table chain, as a faulty writer would leave it."""
    from carbonmarket_adapters.dynamo.chain_keys import write_of
    from carbonmarket_adapters.dynamo.table import DocumentTable
    from carbonmarket_adapters.wiring import settings

    table = DocumentTable(settings(), "chain")
    table.put(write_of(key, msgspec.structs.replace(record, **fields)))
    try:
        yield
    finally:
        table.put(write_of(key, record))


def july(market: Market) -> str:
    """The address of the batch of July."""
    return str(market.told.batches["2016-07"]["address"])


def done_by(organisation: str, key: str, call: calls.EntryCall) -> None:
    """The call stands on chain, sent by the organisation."""
    from carbonmarket_adapters.wiring import chain

    chain.chain_access().submit(key, organisation, call)
    fate = chain.chain_access().await_fate(key)
    assert fate.success, fate.reason


def test_each_law_of_the_summary_is_broken_by_a_story(market: Market) -> None:
    gathered = Path(__file__).parents[1] / "chain" / "test_laws_gathered.py"
    told = Path(__file__).read_text() + gathered.read_text()
    assert [law for law in market.summary["laws"] if f'"{law}"' not in told] == []


def test_grams_that_were_burnt_behind_the_projections_back_are_missed(market: Market) -> None:
    burn = calls.cancel(july(market), 700, "CANBEHIND", "behind the projection's back")
    done_by(market.told.cast.developer.id, "test/burn", burn)
    assert broken(market) == {"grams_are_conserved"}


def test_a_holding_that_grew_by_itself_is_seen(market: Market) -> None:
    buyer = market.told.cast.buyer.address
    key, store = projected(market, records.Store, owner=buyer, batch=july(market))
    with rewritten(key, store, inline=store.inline + 1):
        assert broken(market) == {"grams_are_conserved", "rebuilt_projection_is_equal"}


def test_a_serial_of_two_batches_is_seen(market: Market) -> None:
    _, first = projected(market, records.Batch, address=july(market))
    key, second = projected(market, records.Batch, address=market.told.batches["2016-08"]["address"])
    shared = {"serial_first": first.serial_last, "serial_last": first.serial_last + second.issued - 1}
    with rewritten(key, second, **shared):
        assert broken(market) == {"serials_are_disjoint", "rebuilt_projection_is_equal"}


def test_a_retirement_whose_serials_do_not_cover_its_grams_is_seen(market: Market) -> None:
    key, retirement = projected(market, records.Retirement, id=market.told.retirement["id"])
    with rewritten(key, retirement, serial_last=retirement.serial_last - 1):
        assert broken(market) == {"serials_cover_retired", "rebuilt_projection_is_equal"}


def test_a_retirement_that_the_projection_forgot_is_seen(market: Market) -> None:
    key, retirement = projected(market, records.Retirement, id=market.told.retirement["id"])
    with forgotten(key, retirement):
        assert broken(market) == {"serials_cover_retired", "rebuilt_projection_is_equal"}


@contextmanager
def forgotten(key: Key, record: Any) -> Iterator[None]:
    from carbonmarket_adapters.dynamo.chain_keys import keys_of, write_of
    from carbonmarket_adapters.dynamo.table import DocumentTable
    from carbonmarket_adapters.wiring import settings

    table = DocumentTable(settings(), "chain")
    table.delete(*keys_of(key))
    try:
        yield
    finally:
        table.put(write_of(key, record))


def test_a_record_that_is_not_what_the_chain_says_is_seen(market: Market) -> None:
    key, project = projected(market, records.Project, id=market.told.project)
    with rewritten(key, project, country="CA"):
        assert broken(market) == {"rebuilt_projection_is_equal"}


def test_money_that_came_from_nowhere_is_seen(market: Market) -> None:
    from carbonmarket_adapters.dynamo.ledger import BALANCE
    from carbonmarket_adapters.dynamo.table import DocumentTable, Write
    from carbonmarket_adapters.wiring import money, settings

    (balance,) = money.ledger().balances("float:usdc")
    table = DocumentTable(settings(), "ledger")
    place = (BALANCE, "account#float:usdc", "balance#USDC")
    table.put(Write(*place, msgspec.structs.replace(balance, debits=balance.debits + 1)))
    try:
        assert broken(market) == {"money_is_booked_twice"}
    finally:
        table.put(Write(*place, balance))


def test_a_chain_that_lost_a_retirement_is_seen(market: Market, tmp_path: Path) -> None:
    from carbonmarket_adapters.snapshots import retired_by_batch
    from carbonmarket_adapters.wiring import chain

    copied(market, tmp_path / "before")
    retirement = calls.retire(
        july(market), 900, "RETSOONLOST", b"\x07" * 32, "voluntary", "US", 1_467_331_200, 1_470_009_600
    )
    done_by(market.told.cast.buyer.id, "test/retire", retirement)
    watch()
    look = retired_by_batch(chain.projection().everything())
    assert broken(market, retired_before=look) == set()
    copied(market, tmp_path / "after")

    put_back(market, tmp_path / "before")
    # The stored bytes say that they stand on chain, and they don't: that law falls as well.
    assert broken(market, retired_before=look) == {"retired_never_shrinks", "each_effect_happens_once"}

    put_back(market, tmp_path / "after")
    assert broken(market, retired_before=look) == set()


def copied(market: Market, to: Path) -> None:
    """The chain's state of this moment; the node lets nobody read its file while it runs."""
    localnet = market.machine.engine("Aptos localnet")
    localnet.stop()
    to.mkdir()
    for file in state_files(market):
        shutil.copy(file, to)
    localnet.start()


def put_back(market: Market, copy: Path) -> None:
    """The chain is the one of the copy, and the projection has seen it."""
    localnet = market.machine.engine("Aptos localnet")
    localnet.stop()
    for file in state_files(market):
        file.unlink()
    shutil.copytree(copy, market.machine.settings.state, dirs_exist_ok=True)
    localnet.start()
    watch()


def state_files(market: Market) -> list[Path]:
    """The chain's database, and what SQLite keeps beside it."""
    return list(market.machine.settings.state.glob("chain.sqlite*"))


def test_a_gift_that_was_sent_twice_under_its_key_is_seen(market: Market) -> None:
    from carbonmarket_adapters.dynamo.table import DocumentTable
    from carbonmarket_adapters.wiring import chain, settings

    cast = market.told.cast
    key = f"give/{market.told.transfer['id']}"
    true = chain.signing_table().submission(key)
    assert true is not None and true.record.state == "committed"
    table = DocumentTable(settings(), "signing")
    # A table that says the bytes are dead makes the outbox sign and send new ones.
    table.put(submission_write(msgspec.structs.replace(true.record, state="dead")))
    done_by(cast.developer.id, key, calls.give(july(market), cast.buyer.address, GIVEN_G))
    watch()
    assert broken(market) == {"each_effect_happens_once"}
    table.put(submission_write(true.record))


def submission_write(record: records.Submission) -> Any:
    """The put of a final submission, whatever stands there."""
    from carbonmarket_adapters.dynamo.table import Kind, Write

    kind = Kind("submission", records.Submission)
    return Write(kind, f"KEY#{record.key}", "SUBMISSION", record)


def test_a_name_that_a_function_logged_is_seen(market: Market) -> None:
    log = market.machine.settings.state / "logs" / "retire-render.log"
    size = log.stat().st_size
    with log.open("a") as lines:
        lines.write('{"level":"INFO","message":"for ALPINE BAKERY, Boulder"}\n')
    try:
        assert broken(market) == {"no_personal_data_on_chain"}
    finally:
        with log.open("r+b") as lines:
            lines.truncate(size)


def test_a_name_that_was_written_on_chain_is_seen(market: Market) -> None:
    reason = "in memory of Ada Lovelace"
    burn = calls.cancel(july(market), 1, "CANNAMED", reason)
    done_by(market.told.cast.developer.id, "test/named", burn)
    watch()
    assert broken(market, personal=("Ada Lovelace",)) == {"no_personal_data_on_chain"}


def test_the_published_reconciliation_names_a_batch_that_differs(market: Market) -> None:
    buyer = market.told.cast.buyer.address
    key, store = projected(market, records.Store, owner=buyer, batch=july(market))
    with rewritten(key, store, inline=store.inline + 5):
        differing = eventually(lambda: reconciled(market, differences=1))
    assert [batch["batch"] for batch in differing["differing_batches"]] == [july(market)]
    assert eventually(lambda: reconciled(market, differences=0))


def reconciled(market: Market, differences: int) -> Any:
    """The published reconciliation after another run, if it counts so many batches that differ."""
    from carbonmarket_adapters.wiring import aws

    name = f"carbonmarket-{market.machine.settings.stage}-reconcile"
    aws("lambda").invoke(FunctionName=name, Payload=b"{}")["Payload"].read()
    found = market.told.cast.public.get("/v1/reconciliation")
    return found if found["differences"] == differences else None
