"""The policy pack accepts every site that can be declared, and each of its rules refuses a program that breaks it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from policy import pack, rule
from policy.sdk import secret_paths
from slipway.site.profile import PROFILES, Profile
from tests.mocks.mistakes import MISTAKES, PASSWORD, Mistake, secret
from tests.mocks.recording import Program, Registered, opened, table
from tests.mocks.sites import SITES, program_of

EVERY_STACK = pytest.mark.parametrize("stack", PROFILES)


def seen(each: Registered, **changes: Any) -> rule.Resource:
    """A resource as the pack sees it, with some of its inputs changed; None takes one away."""
    given = {**table(each.request.object), **changes}
    inputs = opened({key: value for key, value in given.items() if value is not None})
    return rule.Resource(
        type=each.type,
        name=each.name,
        urn=each.urn,
        inputs=inputs,
        ignores=list(each.request.ignoreChanges),
        secrets=list(secret_paths(given)),
        built_from=each.built_from,
    )


def whole(program: Program) -> dict[str, rule.Resource]:
    return {urn: seen(each) for urn, each in program.resources.items()}


def broken(resources: Iterable[rule.Resource], profile: Profile) -> dict[str, list[str]]:
    """{rule: what it says}."""
    found: dict[str, list[str]] = {}
    for each in resources:
        for judge in (judge for judge in pack.RULES if pack.judges(judge, each.type)):
            for problem in judge(each, profile):
                found.setdefault(rule.name(judge), []).append(problem)
    return found


def broken_together(resources: Iterable[rule.Resource], profile: Profile) -> dict[str, list[str]]:
    """{rule: the URNs it names}, of the rules that look at the whole stack."""
    return {rule.name(judge): [each.urn for _, each in judge(list(resources), profile)] for judge in pack.STACK_RULES}


@EVERY_STACK
@pytest.mark.parametrize("declared", SITES)
def test_every_site_that_can_be_declared_keeps_to_every_rule(stack: str, declared: str) -> None:
    resources = whole(program_of(stack, declared)).values()
    assert broken(resources, PROFILES[stack]) == {}
    assert broken_together(resources, PROFILES[stack]) == {"limited-processes": []}


CASES = [
    pytest.param(stack, each, id=f"{stack}-{each.kind}-{each.name}-{each.property}={str(each.value)[:40]}")
    for each in MISTAKES
    for stack in each.stacks
]


@pytest.mark.parametrize(("stack", "mistake"), CASES)
def test_a_program_with_one_mistake_is_refused_by_exactly_the_rule_against_it(stack: str, mistake: Mistake) -> None:
    resource = program_of(stack, "as shipped").of_kind(mistake.kind)[mistake.name]
    found = broken([seen(resource, **{mistake.property: mistake.value})], PROFILES[stack])
    assert set(found) == {mistake.rule}
    assert PASSWORD not in str(found), "the message would show the secret"


@pytest.mark.parametrize("mistake", [each for each in MISTAKES if each.stacks == ("prod",)])
def test_what_only_prod_forbids_is_allowed_in_dev(mistake: Mistake) -> None:
    known = program_of("dev", "as shipped").of_kind(mistake.kind)
    if resource := known.get(mistake.name):
        assert broken([seen(resource, **{mistake.property: mistake.value})], PROFILES["dev"]) == {}


def test_every_rule_is_broken_by_a_mistake() -> None:
    of_one = {rule.name(judge) for judge in pack.RULES} - {"no-adminer"}
    assert {each.rule for each in MISTAKES} == of_one
    assert len(MISTAKES) >= 15


def test_adminer_is_refused_where_the_profile_has_none() -> None:
    adminer = seen(program_of("dev", "as shipped").containers["adminer"])
    assert "no-adminer" not in broken([adminer], PROFILES["dev"])
    assert "no-adminer" in broken([adminer], PROFILES["prod"])


@EVERY_STACK
def test_a_container_without_a_limit_of_processes_is_named(stack: str) -> None:
    resources = whole(program_of(stack, "as shipped"))
    one = next(urn for urn, each in resources.items() if each.kind == "PidsLimit")
    container = next(urn for urn in resources.pop(one).built_from if resources[urn].kind == "Container")
    assert broken_together(resources.values(), PROFILES[stack]) == {"limited-processes": [container]}


@EVERY_STACK
def test_a_data_volume_that_would_be_replaced_for_its_labels_is_refused(stack: str) -> None:
    volume = replace(seen(program_of(stack, "as shipped").of_kind("Volume")["postgres-data"]), ignores=["labels"])
    assert set(broken([volume], PROFILES[stack])) == {"kept-data"}


@EVERY_STACK
@pytest.mark.parametrize("image", ["redis:7.4", "registry.example.org:5000/ui:v1", "ui@sha256:ab", "sha256:ab"])
def test_an_image_is_named_by_its_content_or_its_version(stack: str, image: str) -> None:
    container = program_of(stack, "as shipped").containers["ui"]
    assert broken([seen(container, image=image)], PROFILES[stack]) == {}


def test_a_violation_says_which_property_it_is_and_what_to_change() -> None:
    edge = program_of("prod", "as shipped").containers["edge"]
    [message] = broken([seen(edge, memorySwap=512)], PROFILES["prod"])["bounded-memory"]
    assert message == "memory_swap is 512, memory is 256: set both to the same"


def test_a_secret_is_found_however_deep_it_stands_and_its_value_is_not_told() -> None:
    edge = program_of("prod", "as shipped").containers["edge"]
    labels = [{"label": "a", "value": "b"}, {"label": "login", "value": secret(PASSWORD)}]
    found = broken([seen(edge, labels=labels)], PROFILES["prod"])
    assert found == {"hidden-secrets": ["labels[1].value holds a secret: give it as a file (components.service_files)"]}


def test_where_secrets_belong_they_are_allowed() -> None:
    program = program_of("prod", "as shipped")
    files, sql = program.of_kind("FilesVolume")["ui-files"], program.of_kind("DatabaseRoles")["database-roles"]
    assert seen(files).secrets == ["files"]
    assert seen(sql).secrets == ["sql"]
    assert broken([seen(files), seen(sql)], PROFILES["prod"]) == {}


def test_what_a_preview_does_not_know_is_left_to_the_up() -> None:
    inputs = unknown_checking_proxy({"image": UNKNOWN_STRING_VALUE, "user": "0"})
    unknown = replace(seen(program_of("prod", "as shipped").containers["ui"]), inputs=inputs)
    judge = next(judge for judge in pack.RULES if rule.name(judge) == "pinned-image")
    with pytest.raises(UnknownValueError):
        list(judge(unknown, PROFILES["prod"]))
