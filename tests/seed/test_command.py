"""The command line of seeding: what it says where it can't go on."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from infra.local.__main__ import main
from infra.local.seed import command
from infra.local.seed.command import SAMPLE
from tests.seed.files import report


def run(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and output of ``carbonmarket seed market``."""
    done = CliRunner().invoke(main, ["seed", "market", *map(str, arguments)])
    return done.exit_code, done.output


def test_without_a_machine_it_says_how_to_start_one(tmp_path: Path) -> None:
    code, told = run(SAMPLE, "--state", tmp_path)
    assert code == 1
    assert "start it with `carbonmarket up`" in told


def test_another_file_is_refused_in_a_sentence(tmp_path: Path, a_machine: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("a,b\n1,2\n")
    code, told = run(file, "--state", a_machine)
    assert code == 1
    assert "lacks the columns Date Issued" in told


def test_bytes_that_are_no_text_are_refused(tmp_path: Path, a_machine: Path) -> None:
    file = tmp_path / "picture.csv"
    file.write_bytes(b"\xff\xd8\xff")
    code, told = run(file, "--state", a_machine)
    assert code == 1
    assert "not text in UTF-8" in told


def test_rejected_rows_are_written_before_anything_else_is_tried(tmp_path: Path, a_machine: Path) -> None:
    file, rejects = tmp_path / "report.csv", tmp_path / "rejects.csv"
    file.write_text(report(rows=2, changes={1: {"Vintage": "soon"}}))
    code, told = run(file, "--state", a_machine, "--rejects", rejects)
    assert "1 rows can't be imported" in told
    assert "row 1, Vintage" in told
    assert rejects.read_text().splitlines()[1].startswith("1,Vintage,")
    # No node answers in this folder's machine.
    assert code == 1
    assert "doesn't answer" in told


def test_a_faucet_on_another_port_is_asked_for(a_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(command, "_run", away)
    code, told = run(SAMPLE, "--state", a_machine, "--faucet-port", "5")
    assert code == 1
    assert "the faucet doesn't answer at http://127.0.0.1:5; say by --faucet-port" in told
