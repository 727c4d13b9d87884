"""The SQL of topic rules: one table of what each rule makes of a message, one of what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.engines.mqtt.rules import Arrived, RuleError, filter_matches, parse

TOPIC = "carbonmarket/local/gateways/GW1/messages"
DOCUMENT = {"power": 12, "unit": "W", "site": {"name": "east", "rows": [1, 2]}, "ok": True}
FROM = "FROM 'carbonmarket/local/gateways/+/messages'"


@pytest.mark.parametrize(
    ("sql", "result"),
    [
        (f"SELECT * {FROM}", DOCUMENT),
        (f"select * {FROM.replace('FROM', 'from')}", DOCUMENT),
        (f"SELECT *, topic(4) AS gateway {FROM}", {**DOCUMENT, "gateway": "GW1"}),
        (f"SELECT power {FROM}", {"power": 12}),
        (f"SELECT power AS watts, unit {FROM}", {"watts": 12, "unit": "W"}),
        (f"SELECT site.name AS site {FROM}", {"site": "east"}),
        (f"SELECT site {FROM}", {"site": {"name": "east", "rows": [1, 2]}}),
        (f"SELECT absent, power {FROM}", {"power": 12}),
        (f"SELECT site.name.deeper AS x {FROM}", {}),
        (f"SELECT topic() AS t {FROM}", {"t": TOPIC}),
        (f"SELECT topic(9) AS t {FROM}", {}),
        (f"SELECT timestamp() AS at {FROM}", {"at": 1467356400000}),
        (f"SELECT 'text' AS a, -5 AS b {FROM}", {"a": "text", "b": -5}),
        (f"SELECT power {FROM} WHERE power = 12", {"power": 12}),
        (f"SELECT power {FROM} WHERE power <> 12", None),
        (f"SELECT power {FROM} WHERE power > 11 AND power <= 12", {"power": 12}),
        (f"SELECT power {FROM} WHERE power < 12 OR unit = 'W'", {"power": 12}),
        (f"SELECT power {FROM} WHERE power < 12 OR power > 12 AND unit = 'W'", None),
        (f"SELECT power {FROM} WHERE (power < 12 OR power >= 12) AND unit = 'W'", {"power": 12}),
        (f"SELECT power {FROM} WHERE absent = 1", None),
        (f"SELECT power {FROM} WHERE absent <> 1", None),
        (f"SELECT power {FROM} WHERE topic(4) = 'GW1'", {"power": 12}),
    ],
)
def test_what_a_rule_makes_of_a_message(sql: str, result: dict[str, Any] | None) -> None:
    assert parse(sql).apply(Arrived(TOPIC, json.dumps(DOCUMENT).encode(), 1467356400000)) == result


def test_the_payloads_bytes_pass_unchanged() -> None:
    rule = parse(f"SELECT encode(*, 'base64') AS message {FROM}")
    assert rule.apply(Arrived(TOPIC, b"\x00\xff{", 0)) == {"message": "AP97"}


def test_a_payload_that_is_no_json_object_fails_a_rule_that_reads_it() -> None:
    for payload in (b"\x00\xff", b"[1]"):
        with pytest.raises(ValueError):
            parse(f"SELECT * {FROM}").apply(Arrived(TOPIC, payload, 0))


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT *", "FROM is expected"),
        ("SELECT * FROM topic", "topic filter in quotes"),
        ("SELECT * FROM ''", "no topic filter"),
        ("SELECT * FROM 'a/#/b'", "no topic filter"),
        ("SELECT * FROM 'a/b+/c'", "no topic filter"),
        ("SELECT FROM 'a'", "an expression is expected"),
        ("SELECT topic(2) FROM 'a'", "needs AS"),
        ("SELECT a.b FROM 'a'", "needs AS"),
        ("SELECT topic(0) AS t FROM 'a'", "counts levels from 1"),
        ("SELECT clientid() AS c FROM 'a'", "clientid() is not understood"),
        ("SELECT encode(*, 'hex') AS m FROM 'a'", "one form"),
        ("SELECT a, b AS a FROM 'a'", "same name"),
        ("SELECT * FROM 'a' WHERE a", "a comparison is expected"),
        ("SELECT * FROM 'a' WHERE a = ", "an expression is expected"),
        ("SELECT * FROM 'a' WHERE a LIKE 'b'", "a comparison is expected"),
        ("SELECT * FROM 'a' LIMIT 1", "nothing may follow"),
        ("SELECT a; FROM 'a'", "is not understood"),
        ("DELETE FROM 'a'", "SELECT is expected"),
    ],
)
def test_what_is_outside_the_subset_is_refused(sql: str, reason: str) -> None:
    with pytest.raises(RuleError) as refused:
        parse(sql)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matches"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+/c", "a/b/c", True),
        ("+/+", "a/b/c", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "a/b", True),
        ("a/#", "b/a", False),
    ],
)
def test_topic_filters(topic_filter: str, topic: str, matches: bool) -> None:
    assert filter_matches(topic_filter, topic) is matches
