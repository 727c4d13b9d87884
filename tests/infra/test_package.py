"""The vendor layer holds what functions import, as the project says."""

from __future__ import annotations

import tomllib

from infra.declarations import ROOT
from infra.package import requirements


def test_every_requirement_of_the_functions_is_packaged_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    alone, whole = requirements()
    packaged = [*alone, *whole]
    assert sorted(packaged) == sorted(set(packaged))
    assert set(project["optional-dependencies"]["functions"]) <= set(packaged)


def test_chalice_comes_without_its_command_line() -> None:
    alone, whole = requirements()
    assert any(requirement.startswith("chalice") for requirement in alone)
    assert not any(requirement.startswith(("chalice", "click")) for requirement in whole)
