"""The CrossGuard pack: `pulumi preview|up --policy-pack policy`, and `slipway preview|up` by itself.

The rules are in the modules beside this one, and know nothing of Pulumi; here they are handed to it.
"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

# The pack runs in a process of its own that knows this folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from policy import rule, sdk
from policy.pack import ADVICE, RULES, STACK_RULES, judges
from slipway.site.profile import Profile, guarding


@cache
def profile() -> Profile:
    """The stack's; the program says what is wrong with an unknown one."""
    return guarding(sdk.STACK.name, sdk.STACK.profile)


def of_a_resource(judge: rule.Judgement) -> ResourceValidationPolicy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not judges(judge, args.resource_type):
            return
        each = rule.Resource(
            type=args.resource_type,
            name=args.name,
            urn=args.urn,
            inputs=args.props,
            ignores=args.opts.ignore_changes,
            secrets=list(args.props[sdk.SECRETS]),
        )
        try:
            for problem in judge(each, profile()):
                report(problem, None)
        except UnknownValueError:
            return  # a preview; the `up` knows, and judges

    return ResourceValidationPolicy(
        name=rule.name(judge),
        description=rule.description(judge),
        validate=validate,
        enforcement_level=EnforcementLevel.ADVISORY if judge in ADVICE else EnforcementLevel.MANDATORY,
    )


def of_the_stack(judge: Callable[..., object]) -> StackValidationPolicy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        stack = [
            rule.Resource(
                type=each.resource_type,
                name=each.name,
                urn=each.urn,
                inputs=each.props,
                built_from=frozenset(of.urn for some in each.property_dependencies.values() for of in some),
            )
            for each in args.resources
        ]
        for problem, each in judge(stack, profile()):  # type: ignore[attr-defined]
            report(problem, each.urn)

    return StackValidationPolicy(
        name=rule.name(judge), description=rule.description(judge), validate=validate,
        enforcement_level=EnforcementLevel.MANDATORY,
    )  # fmt: skip


sdk.pass_everything_on()
PolicyPack("slipway", policies=[*map(of_a_resource, RULES), *map(of_the_stack, STACK_RULES)])
