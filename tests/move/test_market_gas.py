"""Placing and matching get dearer with the depth of the book no faster than its logarithm."""

from __future__ import annotations

import itertools

import pytest

from infra.benchmarks.market import bench_book
from infra.benchmarks.suite import BOOK_GAS

pytestmark = pytest.mark.chain

DEPTHS = (10, 100, 1_000)


def test_ten_times_the_depth_costs_a_table_read_more() -> None:
    found = bench_book(DEPTHS)
    for act, econia in BOOK_GAS.items():
        costs = [found[depth][act] for depth in DEPTHS]
        for shallow, deep in itertools.pairwise(costs):
            assert deep.table_reads <= shallow.table_reads + 1
            assert deep.table_writes == shallow.table_writes
            assert deep.gas < shallow.gas * 1.15
        assert all(cost.gas < econia[depth] for cost, depth in zip(costs, DEPTHS, strict=True))
