"""The list of bad input that the market was built against, line by line, and the stories that hold each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
ROOT = TESTS.parent

HELD_BY = {
    "unknown device": (
        "bad_input/test_readings.py::test_a_bad_reading_is_kept_with_its_reason_and_changes_nothing",
        "ingest/test_decision.py::test_a_device_outside_its_time_with_the_project_is_unknown",
    ),
    "clock skew over 10 minutes ahead": (
        "bad_input/test_readings.py::test_a_bad_reading_is_kept_with_its_reason_and_changes_nothing",
        "bad_input/test_readings.py::test_a_clock_ten_minutes_ahead_is_borne",
    ),
    "another device's signature": (
        "bad_input/test_readings.py::test_a_bad_reading_is_kept_with_its_reason_and_changes_nothing",
        "unit/evidence/test_verification.py::test_a_reading_that_its_gateway_did_not_sign_is_found",
    ),
    "out of physical limits": (
        "bad_input/test_readings.py::test_a_bad_reading_is_kept_with_its_reason_and_changes_nothing",
        "bad_input/test_readings.py::test_a_bad_reading_takes_no_good_one_with_it",
        "unit/evidence/test_sensors.py::test_what_the_plate_rules_out_is_said",
    ),
    "negative, zero, too many digits, float, NaN quantities": (
        "bad_input/test_quantities.py::test_what_is_no_quantity_moves_nothing",
        "bad_input/test_quantities.py::test_a_measure_out_of_its_range_registers_nothing",
        "unit/evidence/test_quantities.py::test_anything_else_is_refused_by_the_fields_name",
        "ingest/test_edge.py::test_what_is_not_exact_is_refused",
    ),
    "retire or give more than held": (
        "bad_input/test_quantities.py::test_more_than_is_held_moves_nothing",
        "move/carbon_credit_tests.move::nobody_gives_more_than_it_holds",
        "move/carbon_credit_tests.move::nobody_retires_more_than_it_holds",
    ),
    "retire while frozen, also through a secondary store": (
        "bad_input/test_quantities.py::test_a_frozen_account_moves_nothing",
        "move/test_contracts.py::test_a_frozen_account_neither_gives_nor_retires_nor_cancels",
        "move/test_contracts.py::test_a_frozen_account_cannot_reach_its_other_stores",
        "move/transfer_policy_tests.move::a_freeze_reaches_stores_in_objects_of_objects",
    ),
    "mint twice or overlapping": (
        "bad_input/test_minting.py::test_a_day_is_minted_once",
        "chain/test_refusals.py::test_a_period_is_minted_once",
        "chain/test_refusals.py::test_a_period_that_overlaps_another_is_not_closed",
    ),
    "mint above the anchored sums": (
        "chain/test_refusals.py::test_no_quorum_mints_above_the_anchored_sums",
        "move/carbon_credit_tests.move::late_readings_do_not_raise_what_can_be_issued",
    ),
    "one verifier signature, a stranger's, the developer's own organisation's": (
        "bad_input/test_minting.py::test_one_approval_mints_nothing",
        "bad_input/test_minting.py::test_votes_of_others_change_nothing",
        "chain/test_refusals.py::test_one_verifier_is_no_quorum",
        "chain/test_refusals.py::test_who_may_not_review_completes_no_quorum",
        "chain/test_refusals.py::test_a_verifier_who_was_not_drawn_completes_no_quorum",
    ),
    "period with gaps (deduction, not refusal)": (
        "bad_input/test_minting.py::test_hours_without_readings_are_deducted_and_the_rest_is_minted",
        "unit/evidence/test_grid_renewables.py::test_a_gap_counts_as_consumption_at_auxiliary_power",
    ),
    "anchor twice": (
        "chain/test_refusals.py::test_an_hours_part_is_anchored_once",
        "ingest/test_anchor.py::test_a_death_around_any_write_leaves_each_reading_anchored_once",
    ),
    "certificate re-signed by a stranger": (
        "unit/evidence/test_verification.py::test_a_certificate_wholly_signed_anew_by_a_stranger_fails",
        "unit/evidence/test_cli.py::test_an_unknown_key_is_invalid_and_the_line_that_trusts_it_is_given",
    ),
    "a step that dies before, after and in the middle of its effect": (
        "sagas/test_faults.py::test_mint_dying_at_every_point_issues_one_batch",
        "sagas/test_faults.py::test_retire_dying_at_every_point_retires_once",
        "sagas/test_faults.py::test_undo_dying_at_every_point_frees_the_period_once",
        "bad_input/test_cut_off.py::test_an_undo_that_dies_at_any_point_fails_the_retirement_once",
        "bad_input/test_cut_off.py::test_a_gift_whose_server_dies_at_any_point_is_given_once",
        "chain/test_outbox.py::test_death_after_the_chain_accepted_leaves_one_effect",
        "chain/test_watching.py::test_a_kill_at_any_transaction_of_a_large_version_leaves_nothing_half_done",
        "ingest/test_ingest.py::test_a_death_between_commit_and_points_is_healed_by_the_redelivery",
    ),
    "an engine that is not running (the message says which and how to start it)": (
        "bad_input/test_engines_away.py::test_without_a_node_nothing_moves_until_it_is_there",
        "bad_input/test_engines_away.py::test_without_the_aws_endpoint_it_is_named",
        "bad_input/test_engines_away.py::test_without_dynamodb_it_is_named",
        "bad_input/test_engines_away.py::test_without_object_storage_it_is_named",
        "ingest/test_edge.py::test_a_broker_that_is_not_running_is_named_and_waited_for",
        "unit/evidence/test_cli.py::test_a_node_that_does_not_answer_decides_nothing_and_is_named",
        "infra_local/test_machine.py::test_an_engine_that_dies_is_named",
        "infra_local/test_process.py::test_preflight_names_everything_that_is_missing",
    ),
    "off tick, off lot, zero, overflow of price × quantity, expired": (
        "bad_input/test_orders.py::test_what_can_be_known_is_refused_before_anything_is_sent",
    ),
    "post-only that crosses": ("bad_input/test_orders.py::test_a_post_only_order_that_crosses_is_refused",),
    "fill or kill that can't fill": (
        "bad_input/test_orders.py::test_a_fill_or_kill_order_that_cannot_fill_is_refused",
    ),
    "too little escrow": ("bad_input/test_orders.py::test_too_little_escrow_is_refused",),
    "cancel of another's order": (
        "bad_input/test_orders.py::test_the_order_of_another_is_neither_cancelled_nor_amended",
    ),
    "paused": ("bad_input/test_orders.py::test_a_pause_stops_placing_and_nobody_from_cancelling",),
    "frozen maker or taker": (
        "bad_input/test_orders.py::test_a_frozen_taker_is_refused_and_a_frozen_makers_order_is_cleared_away",
        "move/test_market_contracts.py::test_a_frozen_maker_is_passed_over_and_claims_what_it_can_not_move",
        "bad_input/test_purchases.py::test_a_frozen_buyer_pays_nothing",
    ),
    "blocklisted quote account": (
        "bad_input/test_orders.py::test_an_account_on_the_quote_assets_blocklist_cannot_pay",
    ),
    "fee above cap": ("bad_input/test_orders.py::test_a_fee_above_the_cap_is_refused",),
    "thousands of tiny orders (cost bounded for the others)": (
        "move/test_market_contracts.py::test_thousands_of_tiny_orders_cost_others_no_more_than_a_page",
        "bad_input/test_purchases.py::test_more_small_orders_than_one_transaction_takes_are_refused",
    ),
    "expired or reused quote": (
        "bad_input/test_purchases.py::test_a_quote_is_used_once_and_in_time_and_by_its_own_buyer",
    ),
    "declined card": (
        "sagas/test_settle_steps.py::test_a_declined_card_buys_nothing",
        "sagas/test_settle_steps.py::test_a_card_that_does_not_exist_buys_nothing",
    ),
    "3-D Secure": (
        "sagas/test_settle_trade.py::test_after_three_d_secure_credits_are_retired_at_once",
        "sagas/test_settle_trade.py::test_a_failed_challenge_ends_the_purchase_with_its_reason",
        "sagas/test_settle_steps.py::test_three_d_secure_that_is_never_answered_ends_with_the_hold_released",
    ),
    "capture after expiry": (
        "sagas/test_settle_steps.py::test_a_capture_after_the_holds_expiry_leaves_the_credits_with_the_treasury",
    ),
    "repeated, late, reordered or forged webhooks": (
        "sagas/test_settle_webhooks.py::test_a_webhook_that_comes_again_or_late_changes_nothing",
        "sagas/test_settle_webhooks.py::test_a_dispute_is_booked_once_in_whatever_order_it_is_told",
        "sagas/test_settle_webhooks.py::test_a_forged_webhook_is_refused_and_leaves_nothing",
        "sagas/test_settle_webhooks.py::"
        "test_a_bank_that_agrees_after_the_purchase_failed_is_told_to_let_the_money_go",
    ),
    "payout account not ready": (
        "sagas/test_settle_steps.py::test_a_seller_who_chose_fiat_is_paid_once_its_account_is_ready",
    ),
    "process killed between authorise and capture": (
        "sagas/test_settle_steps.py::test_dying_at_every_point_buys_and_charges_and_delivers_once",
        "sagas/test_settle_steps.py::test_an_undo_that_dies_at_every_point_undoes_once",
        "sagas/test_settle_trade.py::test_an_execution_that_is_run_again_waits_for_what_is_left_of_the_risk_period",
    ),
    "retries, catches, undo, timeouts": (
        "infra_local/test_sagas.py::test_a_named_error_is_retried",
        "infra_local/test_sagas.py::test_a_named_error_is_caught_and_undone",
        "infra_local/test_sagas.py::test_a_step_that_overruns_its_timeout_is_caught",
        "sagas/test_definitions.py::test_each_task_has_a_timeout_and_retries_by_named_errors",
        "sagas/test_mint.py::test_a_refused_report_frees_the_period",
        "bad_input/test_cut_off.py::test_a_retirement_that_can_not_be_is_undone_by_its_saga",
    ),
}


@pytest.mark.parametrize("line", HELD_BY)
def test_every_line_is_held_by_stories_that_exist(line: str) -> None:
    missing = []
    for story in HELD_BY[line]:
        file, name = story.split("::")
        path = ROOT / file.replace("move/", "move/tests/", 1) if file.endswith(".move") else TESTS / file
        if not re.search(rf"^\s*(def|fun) {name}\(", path.read_text(), re.MULTILINE):
            missing.append(story)
    assert missing == []
