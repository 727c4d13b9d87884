"""The process: what it survives, where it listens, how it starts and ends, and its clock."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from aptos_sdk.account import Account

from infra.local.chain import process
from infra.local.chain.process import Running, StartFailed, running, start
from tests.localnet.support import Chain, raw_transaction, signed, story, transfer

pytestmark = pytest.mark.chain


def _ask(url: str, body: dict[str, object] | None = None) -> dict[str, object]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: dict[str, object] = json.load(response)
        return answer


def _clock_url(localnet: Running) -> str:
    return localnet.node.removesuffix("/v1") + "/localnet/clock"


def test_a_killed_process_loses_no_committed_transaction(tmp_path: Path) -> None:
    """Killed while transactions pour in; each that was reported as committed is there, at its version."""
    state = tmp_path / "state.db"
    reported: dict[str, str] = {}
    with running(state) as localnet:

        async def pour(chain: Chain) -> None:
            sender = await chain.account()
            sequence = 0
            while True:
                hashes = []
                for _ in range(20):
                    raw = raw_transaction(sender, sequence, transfer(sender, 1))
                    hashes.append(await chain.client.submit_bcs_transaction(signed(sender, raw)))
                    sequence += 1
                for tx_hash in hashes:
                    outcome = await chain.settled(tx_hash)
                    reported[tx_hash] = outcome["version"]

        def pour_until_it_breaks() -> None:
            try:
                story(localnet, pour)
            except Exception:
                return

        pouring = threading.Thread(target=pour_until_it_breaks)
        pouring.start()
        while len(reported) < 100:
            time.sleep(0.001)
        localnet.kill()
        pouring.join()

    with running(state) as localnet:

        async def tell(chain: Chain) -> None:
            newest = int((await chain.client.info())["ledger_version"])
            assert newest >= max(map(int, reported.values()))
            for tx_hash, version in reported.items():
                assert (await chain.client.transaction_by_hash(tx_hash))["version"] == version
            account = await chain.account()
            outcome = await chain.run(account, transfer(account, 1))
            assert int(outcome["version"]) == newest + 2

        story(localnet, tell)


def test_a_chain_goes_on_after_a_clean_end(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    account = Account.generate()

    async def fund(chain: Chain) -> None:
        await chain.faucet.fund_account(account.address(), 77)

    async def look(chain: Chain) -> None:
        assert await chain.client.account_balance(account.address()) == 77

    with running(state) as localnet:
        story(localnet, fund)
        assert localnet.stop() == 0
    with running(state) as localnet:
        story(localnet, look)


def test_nothing_listens_beyond_loopback(localnet: Running) -> None:
    for url in (localnet.node, localnet.faucet):
        port = urlsplit(url).port
        assert port is not None
        listening = [
            line.split()[1]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{port:04X}")
        ]
        assert listening == [f"0100007F:{port:04X}"]


def test_the_command_line_starts_the_chain_alone(tmp_path: Path) -> None:
    state = tmp_path / "chain.sqlite"
    command = [str(Path(sys.executable).with_name("carbonmarket")), "localnet"]
    command += ["--port", "0", "--faucet-port", "0", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            _, _, node, _, faucet = process.stdout.readline().split()
            assert _ask(node)["chain_id"] == 4
            with urllib.request.urlopen(faucet, timeout=10) as answer:
                assert answer.status == 200
            assert state.is_file()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartFailed, match=f"Port {port} of 127.0.0.1 cannot be used"):
            start(tmp_path / "state.db", f"--port={port}")


def test_a_state_file_is_served_once(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with running(state), pytest.raises(StartFailed, match="another localnet"):
        start(state)


def test_a_state_file_belongs_to_one_chain(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with running(state) as localnet:
        localnet.stop()
    with pytest.raises(StartFailed, match="has chain id 4, and 5 was asked for"):
        start(state, "--chain-id=5")


def test_a_missing_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVE_LIBRARY_DIR", str(tmp_path))
    with pytest.raises(StartFailed, match="npm ci --ignore-scripts"):
        process.start(tmp_path / "state.db")


def test_the_clock_goes_forward_and_the_chain_with_it(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with running(state) as localnet:
        now = int(str(_ask(_clock_url(localnet))["timestamp_usecs"]))
        later = now + 90 * 24 * 3600 * 1_000_000
        _ask(_clock_url(localnet), {"timestamp_usecs": str(later)})
        assert int(str(_ask(localnet.node)["ledger_timestamp"])) >= later

        async def tell(chain: Chain) -> None:
            answer = await chain.client.view("0x1::timestamp::now_seconds", [], [])
            assert int(json.loads(answer)[0]) >= later // 1_000_000

        story(localnet, tell)
        localnet.stop()
    with running(state) as localnet:
        assert int(str(_ask(localnet.node)["ledger_timestamp"])) >= later


def test_the_clock_does_not_go_back(localnet: Running) -> None:
    now = int(str(_ask(_clock_url(localnet))["timestamp_usecs"]))
    with pytest.raises(HTTPError) as refused:
        _ask(_clock_url(localnet), {"timestamp_usecs": str(now - 1_000_000)})
    assert "forward only" in json.load(refused.value)["message"]
    assert int(str(_ask(localnet.node)["ledger_timestamp"])) >= now


def test_a_transaction_that_was_signed_before_the_clock_jumped_has_expired(tmp_path: Path) -> None:
    with running(tmp_path / "state.db") as localnet:

        async def tell(chain: Chain) -> None:
            account = await chain.account()
            raw = raw_transaction(account, 0, transfer(account, 1))
            now = int((await chain.client.info())["ledger_timestamp"])
            _ask(_clock_url(localnet), {"timestamp_usecs": str(now + 601 * 1_000_000)})
            with pytest.raises(Exception, match="TRANSACTION_EXPIRED"):
                await chain.client.submit_bcs_transaction(signed(account, raw))

        story(localnet, tell)


def test_a_copied_state_file_is_a_snapshot(tmp_path: Path) -> None:
    """Replaying from an older copy gives other hashes at the same versions, which a watcher can see."""
    state, copy = tmp_path / "state.db", tmp_path / "copy.db"

    async def act(chain: Chain) -> str:
        await chain.account()
        return str((await chain.client.transaction_by_version(1))["accumulator_root_hash"])

    with running(state) as localnet:
        localnet.stop()
    with sqlite3.connect(state) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    with running(state) as localnet:
        first = story(localnet, act)
    with running(copy) as localnet:
        assert story(localnet, act) != first
