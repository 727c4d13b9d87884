"""Aptos' TypeScript SDK, unmodified, where Node is installed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.local.chain.movelib import REPO_ROOT
from infra.local.chain.process import Running

SDK = REPO_ROOT / "node_modules" / "@aptos-labs" / "ts-sdk"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.chain,
    pytest.mark.skipif(
        NODE is None or not SDK.is_dir(), reason="Node or @aptos-labs/ts-sdk is not installed"
    ),
]


def test_the_typescript_sdk_transfers_simulates_sponsors_and_views(localnet: Running) -> None:
    done = subprocess.run(
        [str(NODE), str(Path(__file__).parent / "smoke.mjs"), localnet.node, localnet.faucet],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPO_ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "simulated": True,
        "committed": True,
        "sponsored": True,
        "balance": "2468",
        "sequence": "2",
        "chainId": 4,
    }
