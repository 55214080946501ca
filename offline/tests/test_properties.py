"""What inputs may be, and what differs between two sets of them."""

from __future__ import annotations

from typing import Any

import pytest
from slipway_offline.properties import (
    Schema,
    boolean,
    completed,
    differences,
    integer,
    list_of,
    map_of,
    problems,
    record,
    set_of,
    text,
)
from slipway_offline.values import UNKNOWN

SCHEMA: Schema = {
    "name": text(required=True),
    "size": integer(in_place=True, valid=lambda value: "is too big" if value > 9 else None),
    "on": boolean(default=True, in_place=True),
    "ports": list_of(record({"port": integer(required=True), "protocol": text(default="tcp")})),
    "words": set_of(text(), computed=True),
    "labels": set_of(record({"label": text(), "value": text()}), computed=True),
    "options": map_of(text(), in_place=True),
    "check": record({"every": text(default="0s"), "tests": list_of(text())}, in_place=True),
    "host": text(computed=True),
}
GOOD = {"name": "x"}


@pytest.mark.parametrize(("inputs", "path", "reason"), [
    ({}, "name", "name is required"),
    (GOOD | {"colour": "red"}, "colour", "the offline toy plugin does not support colour; it supports check, host"),
    (GOOD | {"check": {"often": 1}}, "check.often", "does not support check.often; it supports every, tests"),
    (GOOD | {"ports": [{"port": 1}, {"port": 2, "ip": "::"}]}, "ports[1].ip", "does not support ports[1].ip"),
    (GOOD | {"label": []}, "label", "the offline toy plugin does not support label; did you mean labels?"),
    (GOOD | {"ports": [{}]}, "ports[0].port", "ports[0].port is required"),
    (GOOD | {"size": "3"}, "size", "size must be a whole number, not a string"),
    (GOOD | {"size": True}, "size", "size must be a whole number, not true or false"),
    (GOOD | {"size": 2.5}, "size", "size must be a whole number, not a number"),
    (GOOD | {"words": "one"}, "words", "words must be a list, not a string"),
    (GOOD | {"words": ["one", 2]}, "words[1]", "words[1] must be a string, not a number"),
    (GOOD | {"options": {"max-size": 1}}, 'options["max-size"]', "must be a string"),
    (GOOD | {"size": 12}, "size", "size is too big"),
])
def test_each_mistake_is_refused_by_the_name_of_its_property(inputs: dict[str, Any], path: str, reason: str) -> None:
    found = list(problems(SCHEMA, inputs, "toy"))
    assert [problem.path for problem in found] == [path]
    assert reason in found[0].reason


def test_all_mistakes_are_told_at_once_and_none_quotes_a_value() -> None:
    found = list(problems(SCHEMA, {"name": ["s3cret"], "colour": "s3cret", "words": [{"s": "s3cret"}]}, "toy"))
    assert len(found) == 3
    assert not any("s3cret" in problem.reason for problem in found)


def test_what_is_unknown_or_absent_is_no_mistake() -> None:
    unknown = {"name": UNKNOWN, "size": UNKNOWN, "ports": [UNKNOWN, {"port": UNKNOWN}], "options": {"a": UNKNOWN}}
    assert not list(problems(SCHEMA, unknown, "toy"))
    assert not list(problems(SCHEMA, GOOD | {"colour": None, "size": None}, "toy"))


def test_defaults_complete_the_inputs_without_replacing_any() -> None:
    assert completed(SCHEMA, {"name": "x", "size": None}) == {"name": "x", "on": True}
    assert completed(SCHEMA, {"on": False}) == {"on": False}


@pytest.mark.parametrize(("old", "new"), [
    ({}, {"on": True}),
    ({"on": True}, {}),
    ({"words": ["a", "b"]}, {"words": ["b", "a"]}),
    ({"ports": [{"port": 1}]}, {"ports": [{"port": 1, "protocol": "tcp"}]}),
    ({"host": "chosen"}, {}),
    ({"words": ["a"]}, {}),
    ({"labels": [{"label": "a", "value": "b"}]}, {"labels": []}),
    ({"options": {}}, {}),
    ({}, {"words": []}),
    ({"name": ""}, {}),
    ({"check": {"tests": ["a"]}}, {"check": {"tests": ["a"], "every": "0s"}}),
    ({"__defaults": ["name"]}, {}),
])
def test_what_means_the_same_is_no_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert differences(SCHEMA, old, new) == []


@pytest.mark.parametrize(("old", "new", "path", "replaces"), [
    ({"name": "x"}, {"name": "y"}, "name", True),
    ({"size": 1}, {"size": 2}, "size", False),
    ({"size": 1}, {}, "size", False),
    ({}, {"on": False}, "on", False),
    ({"words": ["a", "b"]}, {"words": ["a", "c"]}, "words", True),
    ({"words": ["a"]}, {"words": []}, "words", True),
    ({"labels": [{"label": "a", "value": "b"}]}, {"labels": [{"label": "a", "value": "c"}]}, "labels", True),
    ({"ports": [{"port": 1}]}, {"ports": [{"port": 1}, {"port": 2}]}, "ports[1]", True),
    ({"ports": [{"port": 1}, {"port": 2}]}, {"ports": [{"port": 2}, {"port": 2}]}, "ports[0].port", True),
    ({"ports": [{"port": 1}]}, {"ports": [{"port": 1, "protocol": "udp"}]}, "ports[0].protocol", True),
    ({"check": {"every": "1s"}}, {"check": {"every": "2s"}}, "check.every", False),
    ({"check": {"tests": ["a"]}}, {"check": {"tests": ["a", "b"]}}, "check.tests[1]", False),
    ({"options": {"/tmp": ""}}, {"options": {"/tmp": "", "/run": ""}}, 'options["/run"]', False),
    ({"name": "x"}, {"name": UNKNOWN}, "name", True),
    ({"old": 1}, {}, "old", True),
])
def test_a_change_is_found_where_it_is(
    old: dict[str, Any], new: dict[str, Any], path: str, replaces: bool,
) -> None:
    found = differences(SCHEMA, old, new)
    assert [(change.path, change.replaces) for change in found] == [(path, replaces)]
    assert found[0].top == path.partition(".")[0].partition("[")[0]
