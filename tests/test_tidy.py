"""The tree stays readable: what no linter checks but a reader notices."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES_MAX = 500
FUNCTION_LINES_MAX = 70
ROOMS = (
    "infra",
    "functions",
    "layers",
    "statemachines",
    "move",
    "iot_rules",
    "frontend_config",
    "edge",
    "docs",
)
_MACHINE_PATH = re.compile(r"(?<![\w.:/$}])/(?:home|root|Users|work)/\w")


def tracked(*endings: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    paths = [ROOT / line for line in listing if line.endswith(endings)]
    return [path for path in paths if path.is_file()]


def test_python_files_and_functions_fit_a_screen_or_three() -> None:
    too_long = []
    for path in tracked(".py"):
        source = path.read_text()
        if source.count("\n") > LINES_MAX:
            too_long.append(f"{path.relative_to(ROOT)}: {source.count(chr(10))} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > FUNCTION_LINES_MAX:
                    too_long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines")
    assert too_long == []


def test_public_modules_say_what_they_are() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked(".py")
        if path.parts[len(ROOT.parts)] != "tests"
        and path.read_text().strip()
        and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []


def test_nothing_names_a_machine_or_waits_for_later() -> None:
    found = []
    for path in tracked(".py", ".move", ".md", ".json", ".toml", ".sh", "Makefile"):
        if path.name in {"package-lock.json", "test_tidy.py"}:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if _MACHINE_PATH.search(line) or re.search(r"\b(TODO|FIXME|XXX)\b", line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_says_what_it_is_for(room: str) -> None:
    assert (ROOT / room / "README.md").is_file() or (room == "docs")


def test_no_float_in_the_core() -> None:
    """Grams, money and energy are integers; a float literal or a call of float() has no business there."""
    found = []
    for path in tracked(".py"):
        if "layers/core/" not in path.as_posix():
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            is_call = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            )
            if is_literal or is_call:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_the_localnet_knows_no_contract() -> None:
    """It is a chain for any package: none of ours is named in it."""
    sources = (ROOT / "move").rglob("sources/*.move")
    ours = {path.stem for path in sources if "_" in path.stem} | {"carbon_market", "CarbonMarket"}
    assert len(ours) > 5
    named = re.compile(rf"\b(?:{'|'.join(sorted(ours))})\b")
    chain = [path for path in tracked(".py", ".move", ".toml") if ROOT / "infra/local/chain" in path.parents]
    assert len(chain) > 50
    assert [path.name for path in chain if named.search(path.read_text())] == []
