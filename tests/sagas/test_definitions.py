"""The sagas' definitions and their steps name each other, and no failure is left without an end."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from typing import Any

import pytest

from carbonmarket.errors import BudgetSpent
from carbonmarket.operations.purchase_payment import Disputed, GivenBack
from infra.declarations import STATE_MACHINES, StateMachine

THROTTLED = "Lambda.TooManyRequestsException"
# What Step Functions' manual says to try again: Lambda's own passing failures.
PASSING = {
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
}

machines = pytest.mark.parametrize("machine", STATE_MACHINES, ids=lambda machine: machine.name)


def definition(machine: StateMachine) -> dict[str, Any]:
    return json.loads(machine.path.read_text())


def tasks(machine: StateMachine) -> dict[str, dict[str, Any]]:
    states = definition(machine)["States"]
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def steps(machine: StateMachine) -> set[str]:
    module = importlib.import_module(f"functions.{machine.name}.steps")
    functions = inspect.getmembers(module, inspect.isfunction)
    return {
        name
        for name, function in functions
        if not name.startswith("_") and inspect.unwrap(function).__module__ == module.__name__
    }


@machines
def test_tasks_steps_and_declared_functions_are_the_same(machine: StateMachine) -> None:
    assert set(tasks(machine)) == steps(machine) == set(machine.placeholders())


@machines
def test_each_task_calls_the_step_of_its_name(machine: StateMachine) -> None:
    called = {name: re.findall(r"\$\{(\w+)\}", json.dumps(state)) for name, state in tasks(machine).items()}
    assert called == {name: [name] for name in called}


@machines
def test_each_task_has_a_timeout_and_retries_by_named_errors(machine: StateMachine) -> None:
    for state in tasks(machine).values():
        assert state.get("TimeoutSeconds", 0) > 0 or state["TimeoutSecondsPath"]
        assert all("States.ALL" not in retry["ErrorEquals"] for retry in state["Retry"])


@machines
def test_a_step_that_lambda_has_no_room_for_is_asked_again_for_minutes(machine: StateMachine) -> None:
    for name, state in tasks(machine).items():
        (retry,) = (each for each in state["Retry"] if THROTTLED in each["ErrorEquals"])
        # Of its own, so that a burst of purchases uses up no attempt of what may fail for another reason.
        assert retry["ErrorEquals"] == [THROTTLED], name
        assert retry["JitterStrategy"] == "FULL", name
        waits = [
            min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
            for attempt in range(retry["MaxAttempts"])
        ]
        # Full jitter waits half of that in the mean.
        assert sum(waits) / 2 >= 600, name


@machines
def test_a_failure_of_lambdas_own_is_tried_again(machine: StateMachine) -> None:
    for name, state in tasks(machine).items():
        assert {error for retry in state["Retry"] for error in retry["ErrorEquals"]} >= PASSING, name


@machines
def test_nothing_is_undone_after_submission_but_a_known_refusal(machine: StateMachine) -> None:
    awaits, undo, refusals = {
        "mint": ("await_finality", "reject_period", ["ChainRefused"]),
        "retire": ("await_finality", "fail_retirement", ["ChainRefused"]),
        # An order that met no offer has done nothing either.
        "settle_trade": ("await_fill", "fail_purchase", ["ChainRefused", "NothingFilled"]),
    }[machine.name]
    for catch in tasks(machine)[awaits]["Catch"]:
        if catch["Next"] == undo:
            assert catch["ErrorEquals"] == refusals


@pytest.mark.parametrize("step", ["hold", "deliver"])
def test_a_purchase_whose_money_went_back_is_undone(step: str) -> None:
    [machine] = [each for each in STATE_MACHINES if each.name == "settle_trade"]
    ends = {error: catch["Next"] for catch in tasks(machine)[step]["Catch"] for error in catch["ErrorEquals"]}
    assert {ends.get(error.__name__) for error in (Disputed, GivenBack)} == {"fail_purchase"}


@pytest.mark.parametrize(
    ("saga", "submits", "undo"),
    [("settle_trade", "place", "fail_purchase"), ("retire", "retire", "fail_retirement")],
)
def test_what_the_sponsor_has_no_gas_for_is_nothing_whose_fate_is_unknown(
    saga: str, submits: str, undo: str
) -> None:
    # The budget is asked before the bytes are stored: nothing was sent, so that it is undone.
    (machine,) = (machine for machine in STATE_MACHINES if machine.name == saga)
    (ends,) = (
        catch["Next"]
        for catch in tasks(machine)[submits]["Catch"]
        if BudgetSpent.__name__ in catch["ErrorEquals"]
    )
    assert ends == undo


@machines
def test_an_outage_once_something_may_have_been_sent_is_waited_out_for_hours(machine: StateMachine) -> None:
    # The card is held or charged, or the grams are burnt: who waits for credits or a certificate waits for no
    # operator to start it again.
    before = {
        "mint": {"quantify", "review"},
        "retire": {"check_holding"},
        # What a seller is owed is tried again each hour, whatever becomes of the saga.
        "settle_trade": {"screen", "authorise", "await_authentication", "pay_sellers"},
    }
    for step, state in tasks(machine).items():
        [retry] = [each for each in state["Retry"] if "EngineUnavailable" in each["ErrorEquals"]]
        waits = [
            min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
            for attempt in range(retry["MaxAttempts"])
        ]
        assert (sum(waits) >= 4 * 3_600) is (step not in before[machine.name]), step


@pytest.mark.parametrize(
    ("saga", "step"),
    [
        ("mint", "mint"),
        ("mint", "await_finality"),
        ("mint", "reject_period"),
        ("retire", "await_finality"),
        ("retire", "fail_retirement"),
        ("settle_trade", "await_fill"),
        ("settle_trade", "deliver"),
        ("settle_trade", "fail_purchase"),
    ],
)
def test_what_the_sponsor_has_no_gas_for_waits_until_the_budget_is_renewed(saga: str, step: str) -> None:
    # The platform's calls stop only where the budget of all is used up, and a number that a dead call has
    # left is filled out of its sender's; after the submission nobody is asked.
    [machine] = [each for each in STATE_MACHINES if each.name == saga]
    [retry] = [each for each in tasks(machine)[step]["Retry"] if BudgetSpent.__name__ in each["ErrorEquals"]]
    assert retry["BackoffRate"] == 1
    assert definition(machine)["TimeoutSeconds"] > retry["IntervalSeconds"] * retry["MaxAttempts"] > 86_400


@machines
def test_every_state_can_be_reached(machine: StateMachine) -> None:
    whole = definition(machine)
    reached = {whole["StartAt"]}
    for state in whole["States"].values():
        reached |= {state["Next"]} if "Next" in state else set()
        reached |= {catch["Next"] for catch in state.get("Catch", ())}
    assert reached == set(whole["States"])


@machines
def test_each_task_is_retried_and_each_failure_has_somewhere_to_go(machine: StateMachine) -> None:
    states = definition(machine)["States"]
    for name, state in tasks(machine).items():
        assert state["Retry"], name
        caught = [error for catch in state.get("Catch", ()) for error in catch["ErrorEquals"]]
        # All is done when the last task runs: where it fails there is nothing to undo or to say.
        is_last = states[state["Next"]]["Type"] == "Succeed"
        assert is_last or "States.ALL" in caught, name
    # An undo ends as a failure, under a name of its own.
    assert "Fail" in {states[state["Next"]]["Type"] for state in tasks(machine).values()}
