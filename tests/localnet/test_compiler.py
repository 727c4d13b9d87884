"""The compiler: offline, quick the second time, clear when it refuses."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.chain import compiler
from infra.local.chain.bytecode import read_module
from infra.local.chain.movelib import REPO_ROOT, MoveLibraryMissing
from infra.local.chain.overlay import MovePackageError
from tests.localnet.support import PROBE

pytestmark = pytest.mark.chain


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the probe package that a test may break."""
    copy = tmp_path / "probe"
    shutil.copytree(PROBE, copy)
    return copy


def _edit(package: Path, old: str, new: str) -> None:
    source = package / "sources" / "counter.move"
    text = source.read_text()
    assert old in text
    source.write_text(text.replace(old, new, 1))


def test_a_package_that_names_aptos_by_git_builds_with_nothing_fetched() -> None:
    built = compiler.build(PROBE, {"probe": "0xcafe"})
    (module,) = built.modules
    assert module.abi["address"] == "0x" + "cafe".rjust(64, "0")
    assert {"step", "total"} <= {function["name"] for function in module.abi["exposed_functions"]}


def test_the_package_folder_is_left_as_it_was(package: Path) -> None:
    before = sorted(package.rglob("*"))
    compiler.build(package, {"probe": "0xcafe"})
    compiler.test(package, coverage=True)
    assert sorted(package.rglob("*")) == before


def test_the_same_sources_give_the_same_bytes_and_others_give_others(package: Path) -> None:
    first = compiler.build(package, {"probe": "0xcafe"})
    assert compiler.build(PROBE, {"probe": "0xcafe"}).codes == first.codes
    _edit(package, "big: 1 << 200", "big: 1 << 201")
    assert compiler.build(package, {"probe": "0xcafe"}).codes != first.codes


def test_the_error_names_of_a_module_are_in_its_bytes() -> None:
    info = read_module(compiler.build(PROBE, {"probe": "0xcafe"}).codes[0])
    assert info.errors[1] == ("EUNLUCKY_STEP", "The step is thirteen, which brings bad luck.")
    assert info.events == {"Stepped"}


def test_an_error_names_the_file_and_line_of_the_callers_own_package(package: Path) -> None:
    _edit(package, "counter.total += amount;", "counter.total += nothing;")
    with pytest.raises(compiler.MoveCompileError, match=rf"{package}/sources/counter.move:\d+"):
        compiler.build(package, {"probe": "0xcafe"})


def test_every_unit_test_is_told_by_name() -> None:
    run = compiler.test(PROBE)
    assert run.ok
    assert run.outcomes == {
        "0xcafe::counter_tests::steps_add_up": True,
        "0xcafe::counter_tests::thirteen_is_refused": True,
    }


def test_a_filter_chooses_tests() -> None:
    assert list(compiler.test(PROBE, filter="thirteen").outcomes) == [
        "0xcafe::counter_tests::thirteen_is_refused"
    ]


def test_a_failing_test_is_told(package: Path) -> None:
    _edit(package, "assert!(amount != 13, EUNLUCKY_STEP);", "")
    run = compiler.test(package)
    assert not run.ok
    assert not run.outcomes["0xcafe::counter_tests::thirteen_is_refused"]
    assert "did not error as expected" in run.output


def test_coverage_counts_what_the_tests_ran_and_leaves_test_code_out() -> None:
    run = compiler.test(PROBE, coverage=True)
    assert list(run.coverage) == ["counter"]
    counted = run.coverage["counter"]
    assert 0 < counted.covered < counted.total


def test_a_folder_that_is_no_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MovePackageError, match=r"has no Move\.toml"):
        compiler.build(tmp_path)


def test_a_missing_compiler_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVE_LIBRARY_DIR", str(tmp_path))
    with pytest.raises(MoveLibraryMissing, match="npm ci --ignore-scripts"):
        compiler.build(PROBE, {"probe": "0xcafe"})


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.local.chain.compiler", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=REPO_ROOT,
    )


def test_the_command_fails_below_the_coverage_that_is_asked() -> None:
    assert _command("coverage", str(PROBE), "--at-least", "10").returncode == 0
    assert _command("coverage", str(PROBE), "--at-least", "100").returncode == 1


def test_the_command_tells_a_wrong_folder(tmp_path: Path) -> None:
    told = _command("build", str(tmp_path))
    assert (told.returncode, "has no Move.toml" in told.stderr) == (2, True)
