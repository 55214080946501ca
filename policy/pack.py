"""All rules, by the type of the resources that they judge."""

from __future__ import annotations

from collections.abc import Mapping

from policy.containers import (
    bounded_files,
    bounded_log,
    bounded_memory,
    bounded_processor,
    hardened_job,
    health_check,
    limited_processes,
    no_capabilities,
    no_host_namespace,
    no_new_privileges,
    no_privilege,
    non_root_user,
    read_only_root,
)
from policy.rule import Judgement
from policy.surroundings import (
    hidden_secrets,
    internal_networks,
    kept_data,
    named_volumes,
    no_adminer,
    no_engine_socket,
    no_host_folder,
    own_networks,
    passwords_in_plain,
    pinned_image,
    published_ports,
)
from slipway.core.resource_types import CONTAINER, JOB, NETWORK, VOLUME

EVERY = "docker:* and dynamic resources"
RULES: Mapping[Judgement, tuple[str, ...]] = {
    non_root_user: (CONTAINER, JOB),
    read_only_root: (CONTAINER,),
    no_capabilities: (CONTAINER,),
    no_new_privileges: (CONTAINER,),
    no_privilege: (CONTAINER,),
    no_host_namespace: (CONTAINER,),
    bounded_memory: (CONTAINER, JOB),
    bounded_processor: (CONTAINER,),
    bounded_log: (CONTAINER,),
    bounded_files: (CONTAINER,),
    health_check: (CONTAINER,),
    hardened_job: (JOB,),
    published_ports: (CONTAINER,),
    own_networks: (CONTAINER,),
    internal_networks: (NETWORK,),
    no_engine_socket: (CONTAINER, JOB),
    no_host_folder: (CONTAINER, JOB),
    named_volumes: (CONTAINER, JOB),
    kept_data: (VOLUME,),
    pinned_image: (CONTAINER, JOB),
    no_adminer: (CONTAINER,),
    hidden_secrets: (EVERY,),
    passwords_in_plain: (CONTAINER, JOB),
}
ADVICE = frozenset({passwords_in_plain})
"""Rules that guess: what they find is said and stops nothing."""
STACK_RULES = (limited_processes,)
"""Rules that need the whole stack: [resources] → (what is wrong, with which)."""


def judges(judge: Judgement, type_: str) -> bool:
    """Whether the rule is about resources of this type."""
    kinds = RULES[judge]
    return type_ in kinds or (EVERY in kinds and type_.startswith(("docker:", "pulumi-python:dynamic/")))
