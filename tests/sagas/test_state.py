"""What an execution carries: ids, hashes and short words. Step Functions refuses more than 262,144 bytes and
the interpreter of one machine does not, so it is measured here."""

from __future__ import annotations

import json
import time

from tests.sagas.test_retire import certificate, order
from tests.sagas.world import Site, World

STEP_RESULT_BYTES_MAX = 500
"""What each step may add; a report or a list of readings would be many times that."""


def test_an_execution_carries_no_more_than_ids_and_hashes(world: World, site: Site) -> None:
    batch = site.mint()
    ordered = site.post("/v1/retirements", order(batch))
    certificate(world, ordered["id"])
    period = site.get(f"/v1/batches/{batch}")["period"]
    for machine, id in (("mint", period), ("retire", ordered["id"])):
        carried = outcome(world, machine, id)
        assert len(carried) > 1
        too_much = {
            key: part for key, part in carried.items() if len(json.dumps(part)) > STEP_RESULT_BYTES_MAX
        }
        assert too_much == {}


def outcome(world: World, machine: str, id: str) -> dict[str, object]:
    """The state of the machine's execution about this id, at its end."""
    states = world.aws.client("stepfunctions")
    machines = states.list_state_machines()["stateMachines"]
    (arn,) = [each["stateMachineArn"] for each in machines if each["name"] == world.aws.name(machine)]
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=arn)
    executions = [each["executionArn"] for page in pages for each in page["executions"]]
    about = next(each for each in executions if id in states.describe_execution(executionArn=each)["input"])
    deadline = time.monotonic() + 30
    while (told := states.describe_execution(executionArn=about))["status"] == "RUNNING":
        assert time.monotonic() < deadline, f"the execution of {machine} about {id} does not end"
        time.sleep(0.1)
    found: dict[str, object] = json.loads(told["output"])
    return found
