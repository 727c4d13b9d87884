"""``carbonmarket verify`` and ``carbonmarket trust``, as an auditor runs them."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from carbonmarket.cli.trust import trust_group
from carbonmarket.cli.verify import verify_command
from tests.unit.evidence import world


@lru_cache(maxsize=1)
def true_world() -> world.World:
    return world.build()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """certificate.json with evidence.zip beside it."""
    (tmp_path / "certificate.json").write_bytes(true_world().certificate)
    (tmp_path / "evidence.zip").write_bytes(true_world().evidence)
    return tmp_path


def verify(folder: Path, *arguments: str) -> Result:
    command = [str(folder / "certificate.json"), "--store", str(folder / "keys.json"), *arguments]
    return CliRunner().invoke(verify_command, command)


def trust(folder: Path, *arguments: str) -> Result:
    name, *rest = arguments
    return CliRunner().invoke(trust_group, [name, *rest, "--store", str(folder / "keys.json")])


def test_a_trusted_certificate_is_valid_with_the_evidence_beside_it(folder: Path) -> None:
    result = verify(folder, "--trust", world.platform_key())
    assert result.exit_code == 0, result.output
    assert "VALID: 123 g (0.000123 t)" in result.output
    assert "leaves and roots" in result.output
    assert "a sensor told the truth" in result.output.splitlines()[-3]


def test_an_unknown_key_is_invalid_and_the_line_that_trusts_it_is_given(folder: Path) -> None:
    result = verify(folder)
    assert result.exit_code == 1
    assert f"carbonmarket trust add {world.platform_key()}" in result.output
    assert "INVALID: broken: trusted key" in result.output


def test_a_key_in_the_store_is_believed_until_it_is_removed(folder: Path) -> None:
    key = world.platform_key()
    assert trust(folder, "add", key, "--label", "this machine").exit_code == 0
    assert key in trust(folder, "list").output
    assert verify(folder).exit_code == 0
    assert trust(folder, "remove", key).exit_code == 0
    assert verify(folder).exit_code == 1


def test_a_changed_byte_names_the_broken_link(folder: Path) -> None:
    path = folder / "certificate.json"
    path.write_bytes(path.read_bytes().replace(b'"voluntary"', b'"Voluntary"'))
    result = verify(folder, "--trust", world.platform_key())
    assert result.exit_code == 1
    assert "INVALID: broken: proof" in result.output


def test_broken_evidence_names_its_link(folder: Path) -> None:
    path = folder / "evidence.zip"
    path.write_bytes(path.read_bytes() + b"\x00")
    result = verify(folder, "--trust", world.platform_key())
    assert result.exit_code == 1
    assert "evidence archive" in result.output.splitlines()[-5]


@pytest.mark.parametrize("content", [None, b"", b"hello"])
def test_what_is_no_certificate_is_unreadable(folder: Path, content: bytes | None) -> None:
    path = folder / "certificate.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    result = verify(folder, "--trust", world.platform_key())
    assert result.exit_code == 2
    assert str(path) in result.output


@pytest.mark.parametrize(
    "arguments", [("--trust", "z6Mknonsense"), ("--evidence", "/nowhere.zip"), ("--node", "ftp://node")]
)
def test_an_argument_that_is_wrong_is_said(folder: Path, arguments: tuple[str, str]) -> None:
    result = verify(folder, *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_key_that_is_none_is_not_added(folder: Path) -> None:
    result = trust(folder, "add", "nonsense", "--label", "x")
    assert result.exit_code == 1
    assert "Ed25519 key such as z6Mk" in result.output
    assert not (folder / "keys.json").exists()


def test_a_key_that_is_not_held_is_not_removed(folder: Path) -> None:
    assert "does not hold" in trust(folder, "remove", world.platform_key()).output


def test_a_store_that_is_damaged_is_said(folder: Path) -> None:
    (folder / "keys.json").write_text("[1]")
    result = verify(folder)
    assert result.exit_code == 2
    assert "object of keys and labels" in result.output


NO_NETWORK = """
import sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise SystemExit("the network was asked for: " + event)
sys.addaudithook(refuse)
from carbonmarket.cli.verify import verify_command
verify_command()
"""


def test_it_works_from_any_folder_in_a_process_without_a_network(folder: Path) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    command = [sys.executable, "-c", NO_NETWORK, "../certificate.json", "--trust", world.platform_key()]
    done = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "VALID" in done.stdout


class Answers(http.server.BaseHTTPRequestHandler):
    """A node that knows its chain id and refuses every view."""

    def do_GET(self) -> None:
        self._answer(200, {"chain_id": 4})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(400, {"message": "no such retirement", "error_code": "invalid_input"})

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def node() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_what_a_node_refuses_is_a_broken_link(folder: Path, node: str) -> None:
    result = verify(folder, "--trust", world.platform_key(), "--node", node)
    assert result.exit_code == 1
    assert "no such retirement" in result.output


def test_a_node_that_does_not_answer_decides_nothing_and_is_named(folder: Path) -> None:
    result = verify(folder, "--trust", world.platform_key(), "--node", "http://127.0.0.1:1/v1")
    assert result.exit_code == 2
    assert "http://127.0.0.1:1/v1 does not answer" in result.output
