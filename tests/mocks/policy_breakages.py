"""Deliberate breakages of the policy pack, each with the test that must notice it."""

from __future__ import annotations

from tests.mocks.breaking import of

# fmt: off
CONTAINERS, SURROUNDINGS, PACK, SDK = (
    f"policy/{name}.py" for name in ("containers", "surroundings", "pack", "sdk")
)
WORKLOAD, HARDENING = "components/workload.py", "components/hardening.py"

MUTATIONS = of(
    "policy",
    every_site_that_can_be_declared_keeps_to_every_rule=[
        (HARDENING, '"read_only": True', '"read_only": False'),
        (HARDENING, '"memory_swap": limits.memory', '"memory_swap": 2 * limits.memory'),
        (WORKLOAD, ", containers, strict=True)", ", containers[:0])"),
        (CONTAINERS, 'and "run" in arguments', ""),
        ("slipway/core/kinds.py", "way_out=CERTBOT", 'way_out=""'),
        ("components/service_jobs.py", "hardened=context.site.profile.hardened", "hardened=False"),
        ("slipway/core/topology.py", "name=POSTGRES, internal=True", "name=POSTGRES, internal=False"),
        ("components/volumes.py", "ignore_changes=PROVIDED", "ignore_changes=[]"),
        ("components/flask_service.py", 'tmpfs=scratch.tmp(64)',
         'tmpfs={"/x": self.args.secrets.generated("stack-key")}')],
    a_program_with_one_mistake_is_refused_by_exactly_the_rule_against_it=[
        (CONTAINERS, 'ROOT = {"", "0", "root"}', 'ROOT = {"", "0"}'),
        (CONTAINERS, "swap != memory", "swap < memory"),
        (CONTAINERS, 'if "ALL" not in', 'if "ALL" in'),
        (CONTAINERS, '{"max-size", "max-file"} <=', '{"max-size"} <='),
        (SURROUNDINGS, "if profile.edge and not each", "if profile.edge and each"),
        (SURROUNDINGS, "for path in each.secrets:", "for path in ():")],
    what_only_prod_forbids_is_allowed_in_dev=(
        CONTAINERS, 'if profile.hardened and each.inputs.get("readOnly") is not True:',
        'if each.inputs.get("readOnly") is not True:'),
    every_rule_is_broken_by_a_mistake=(PACK, "    own_networks: (CONTAINER,),\n", ""),
    adminer_is_refused_where_the_profile_has_none=(SURROUNDINGS, "and not profile.adminer", "and profile.adminer"),
    a_container_without_a_limit_of_processes_is_named=(CONTAINERS, "each.urn not in limited", "not limited"),
    a_data_volume_that_would_be_replaced_for_its_labels_is_refused=(
        SURROUNDINGS, '{"labels", "driverOpts"} - set', '{"labels"} - set'),
    an_image_is_named_by_its_content_or_its_version=(SURROUNDINGS, "(^|@)sha256:|", ""),
    a_violation_says_which_property_it_is_and_what_to_change=(CONTAINERS, "set both to the same", "wrong"),
    a_secret_is_found_however_deep_it_stands_and_its_value_is_not_told=(
        SDK, 'f"{path}[{index}]"', "path"),
    where_secrets_belong_they_are_allowed=(
        SURROUNDINGS, '{"FilesVolume", "Placeholders", "DatabaseRoles", ', '{"FilesVolume", "Placeholders", '),
    what_a_preview_does_not_know_is_left_to_the_up=(
        SURROUNDINGS, 'image = str(each.inputs.get("image") or "")', 'image = str(each.name)'),
)
ADAPTER = "policy/__main__.py"
MUTATIONS += of(
    "policy_pack",
    every_resource_is_judged_by_the_profile_of_its_stack=[
        (SDK, 'request.config.get(f"{request.project}:profile", "")', '""'),
        (SDK, "    servicer.ConfigureStack = configure_stack\n", "")],
    what_dev_allows_is_refused_in_prod=(
        ADAPTER, "guarding(sdk.STACK.name, sdk.STACK.profile)", 'guarding("dev", None)'),
    a_secret_in_an_environment_stops_the_run_and_is_not_shown=(SDK, "list(secret_paths(props))", "[]"),
    a_guess_is_said_and_stops_nothing=(
        ADAPTER, "EnforcementLevel.ADVISORY if judge in ADVICE else EnforcementLevel.MANDATORY",
        "EnforcementLevel.MANDATORY"),
    a_preview_is_not_bothered_with_what_it_cannot_know_and_told_what_it_can=(
        SDK, "list(secret_paths(props))", "list(secret_paths(opened))"),
)
