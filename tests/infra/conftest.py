"""The templates of a stage, synthesised once for all the tests here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from infra.app import build
from infra.declarations import ROOT, resource_name
from infra.stages import stage_named

STAGE = "dev"


@dataclass(frozen=True)
class Resource:
    """One resource of a template; ``key`` is the stack and the logical id."""

    key: tuple[str, str]
    kind: str
    properties: dict[str, Any]
    body: dict[str, Any]


@dataclass(frozen=True)
class Synthesised:
    """What synthesis left: templates by stack, and cdk-nag's findings that nobody acknowledged."""

    folder: Path
    templates: dict[str, dict[str, Any]]
    findings: list[str]

    def all(self, kind: str) -> list[Resource]:
        """Every resource of a CloudFormation type."""
        return [resource for resource in self.resources() if resource.kind == kind]

    def resources(self) -> Iterator[Resource]:
        """Every resource."""
        for stack, template in self.templates.items():
            for logical, body in template["Resources"].items():
                yield Resource((stack, logical), body["Type"], body.get("Properties", {}), body)

    def names(self, kind: str, name: str) -> set[str]:
        """The short names of all resources of a type, from the property ``name``."""
        prefix = resource_name(STAGE, "")
        return {resource.properties[name].removeprefix(prefix) for resource in self.all(kind)}

    def methods(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The API's methods by path and method, without browsers' OPTIONS."""
        resources = {
            resource.key[1]: resource.properties for resource in self.all("AWS::ApiGateway::Resource")
        }

        def path(reference: dict[str, Any]) -> str:
            if "Ref" not in reference:
                return ""
            properties = resources[reference["Ref"]]
            return f"{path(properties['ParentId'])}/{properties['PathPart']}"

        return {
            (path(method.properties["ResourceId"]), method.properties["HttpMethod"]): method.properties
            for method in self.all("AWS::ApiGateway::Method")
            if method.properties["HttpMethod"] != "OPTIONS"
        }

    def target(self, value: Any, stack: str) -> tuple[str, str]:
        """The resource that a Ref, a GetAtt or an import of another stack's output stands for."""
        if "Ref" in value:
            return stack, value["Ref"]
        if "Fn::GetAtt" in value:
            return stack, value["Fn::GetAtt"][0]
        exporter, _, export = value["Fn::ImportValue"].partition(":")
        for output in self.templates[exporter]["Outputs"].values():
            if output.get("Export", {}).get("Name") == f"{exporter}:{export}":
                return self.target(output["Value"], exporter)
        raise AssertionError(f"nothing exports {value}")

    def at(self, key: tuple[str, str]) -> Resource:
        """The resource of a key."""
        return next(resource for resource in self.resources() if resource.key == key)

    def short(self, value: Any, stack: str, name: str) -> str:
        """The short name of what a reference stands for."""
        found: str = self.at(self.target(value, stack)).properties[name]
        return found.removeprefix(resource_name(STAGE, ""))


def synthesise(stage: str, folder: Path) -> Synthesised:
    """Synthesise a stage as the command line would."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(outdir=str(folder), context=context, analytics_reporting=False)
    build(app, stage_named(stage))
    report = folder / "validation-report.json"
    try:
        app.synth()
    except RuntimeError:
        if not report.exists():
            raise
    templates = {
        path.name.removesuffix(".template.json"): json.loads(path.read_text())
        for path in sorted(folder.glob("*.template.json"))
    }
    return Synthesised(folder, templates, _findings(report))


def _findings(report: Path) -> list[str]:
    if not report.exists():
        return []
    return [
        f"{violation['ruleName']} at {construct['constructPath']}"
        for plugin in json.loads(report.read_text())["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


@pytest.fixture(scope="session")
def synthesised(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """The stage dev."""
    return synthesise(STAGE, tmp_path_factory.mktemp("cdk"))
