"""The subset of AWS IoT's SQL (2016-03-23) that this machine and AWS read alike.

    SELECT item {, item} FROM 'topic filter' [WHERE condition]

    item       *  |  expression AS name  |  column
    expression column | 'text' | integer | topic() | topic(n) | timestamp() | encode(*, 'base64')
    column     name {. name}; a nested one needs AS
    condition  comparisons (= <> < > <= >=) joined by AND and OR, with parentheses

``clientid()`` and ``principal()`` are left out: a subscriber is not told them. What is not in the subset
is refused when the rule is read, so no rule means one thing here and another on AWS.
"""

from __future__ import annotations

import base64
import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<sign><>|<=|>=|[=<>*,.()]))"
)
_WORDS = {"select", "from", "where", "as", "and", "or"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class RuleError(ValueError):
    """A rule is outside the subset; the text says where."""


class _Undefined:
    """What a column is that the payload does not have: left out of results, equal to nothing."""


UNDEFINED = _Undefined()


@dataclass(frozen=True)
class Arrived:
    """A message as the rule sees it; ``received_ms`` is milliseconds since 1970."""

    topic: str
    payload: bytes
    received_ms: int

    def document(self) -> Any:
        """The payload as JSON; ValueError if it is none."""
        return json.loads(self.payload)


_Expression = Callable[[Arrived], Any]


@dataclass(frozen=True)
class Rule:
    """A rule that was read: ``filter`` to subscribe to, and what it makes of a message."""

    filter: str
    _items: tuple[tuple[str, _Expression], ...]
    _where: _Expression | None

    def matches(self, topic: str) -> bool:
        """Whether the rule's filter takes a topic."""
        return filter_matches(self.filter, topic)

    def apply(self, arrived: Arrived) -> dict[str, Any] | None:
        """The result, or None where WHERE does not hold; ValueError for a payload that is no JSON."""
        if self._where is not None and self._where(arrived) is not True:
            return None
        result: dict[str, Any] = {}
        for name, expression in self._items:
            value = expression(arrived)
            if name == "*":
                if not isinstance(value, dict):
                    raise ValueError("SELECT * needs a payload that is a JSON object")
                result.update(value)
            elif value is not UNDEFINED:
                result[name] = value
        return result


def filter_matches(topic_filter: str, topic: str) -> bool:
    """MQTT's filters: ``+`` is one level, a final ``#`` is any number of them."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


def parse(sql: str) -> Rule:
    """Read a rule; :class:`RuleError` if it is not in the subset."""
    return _Parser(sql).rule()


class _Parser:
    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._tokens = _tokenize(sql)
        self._at = 0

    def rule(self) -> Rule:
        self._expect("select")
        items = [self._item()]
        while self._take(","):
            items.append(self._item())
        self._expect("from")
        topic_filter = self._quoted("FROM needs a topic filter in quotes")
        _check_filter(topic_filter)
        where = self._any_of() if self._take("where") else None
        if self._peek():
            raise self._error(f"nothing may follow here, but {self._peek()} does")
        names = [name for name, _ in items]
        if len(set(names)) < len(names):
            raise self._error("two items of SELECT have the same name")
        return Rule(topic_filter, tuple(items), where)

    def _item(self) -> tuple[str, _Expression]:
        if self._take("*"):
            return "*", lambda arrived: arrived.document()
        start = self._at
        expression = self._expression()
        if self._take("as"):
            return self._name("AS needs a name"), expression
        taken = self._tokens[start : self._at]
        if len(taken) != 1 or not _is_name(taken[0]):
            raise self._error("every item but * and plain columns needs AS and a name")
        return taken[0], expression

    def _expression(self) -> _Expression:
        token = self._peek()
        if token.startswith("'"):
            text = self._next()[1:-1]
            return lambda arrived: text
        if token.lstrip("-").isdigit():
            number = int(self._next())
            return lambda arrived: number
        name = self._name("an expression is expected")
        if self._take("("):
            return self._call(name.lower())
        path = [name]
        while self._take("."):
            path.append(self._name("a name is expected after the dot"))
        return lambda arrived: _column(arrived.document(), path)

    def _call(self, function: str) -> _Expression:
        if function == "topic":
            if self._take(")"):
                return lambda arrived: arrived.topic
            level = self._next()
            if not level.isdigit() or int(level) < 1:
                raise self._error("topic(n) counts levels from 1")
            self._expect(")")
            return lambda arrived: _level(arrived.topic, int(level))
        if function == "timestamp":
            self._expect(")")
            return lambda arrived: arrived.received_ms
        if function == "encode":
            for sign in ("*", ","):
                self._expect(sign)
            if self._quoted("encode(*, 'base64') is the one form that is understood") != "base64":
                raise self._error("encode(*, 'base64') is the one form that is understood")
            self._expect(")")
            return lambda arrived: base64.b64encode(arrived.payload).decode()
        raise self._error(f"the function {function}() is not understood")

    def _any_of(self) -> _Expression:
        parts = [self._all_of()]
        while self._take("or"):
            parts.append(self._all_of())
        return lambda arrived: any(part(arrived) for part in parts)

    def _all_of(self) -> _Expression:
        parts = [self._comparison()]
        while self._take("and"):
            parts.append(self._comparison())
        return lambda arrived: all(part(arrived) for part in parts)

    def _comparison(self) -> _Expression:
        if self._take("("):
            inner = self._any_of()
            self._expect(")")
            return inner
        left = self._expression()
        sign = self._next()
        if sign not in _COMPARE:
            raise self._error(f"a comparison is expected where {sign or 'the end'} is")
        right = self._expression()
        compare = _COMPARE[sign]
        return lambda arrived: _compare(compare, left(arrived), right(arrived))

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _take(self, word: str) -> bool:
        found = self._peek().lower() == word
        self._at += found
        return found

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._error(f"{word.upper()} is expected where {self._peek() or 'the end'} is")

    def _name(self, otherwise: str) -> str:
        if not _is_name(self._peek()):
            raise self._error(otherwise)
        return self._next()

    def _quoted(self, otherwise: str) -> str:
        if not self._peek().startswith("'"):
            raise self._error(otherwise)
        return self._next()[1:-1]

    def _error(self, what: str) -> RuleError:
        return RuleError(f"{what}, in: {self._sql}")


def _tokenize(sql: str) -> list[str]:
    tokens, at = [], 0
    text = sql.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleError(f"{text[at:].strip()[:20]!r} is not understood, in: {sql}")
        tokens.append(match[0].strip())
        at = match.end()
    return tokens


def _is_name(token: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z_]\w*", token)) and token.lower() not in _WORDS


def _check_filter(topic_filter: str) -> None:
    levels = topic_filter.split("/")
    whole = all(level in ("+", "#") or not set("+#") & set(level) for level in levels)
    if not topic_filter or not whole or "#" in levels[:-1]:
        raise RuleError(
            f"{topic_filter!r} is no topic filter: + and # stand for whole levels, # for the last ones"
        )


def _column(document: Any, path: list[str]) -> Any:
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return UNDEFINED
        document = document[name]
    return document


def _level(topic: str, level: int) -> Any:
    levels = topic.split("/")
    return levels[level - 1] if level <= len(levels) else UNDEFINED


def _compare(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    # AWS converts between kinds in ways of its own; values of one kind compare alike everywhere.
    numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (left, right))
    texts = all(isinstance(side, str) for side in (left, right))
    return compare(left, right) if numbers or texts else False
