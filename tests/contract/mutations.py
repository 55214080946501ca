"""Breaks the offline docker plugin on purpose, one behaviour at a time, and expects the contract tests to notice.

    python -m tests.contract.mutations [WORD …]     only mutations of whose row or file a WORD is a part

Each mutation is one replacement in a private copy of `offline/slipway_offline`, which is laid out like the installed
kit and given to pytest as its PULUMI_HOME. Before them the copy must pass as it is. Prints a table; exits with 1 when
a test stayed green, or when one is red on the unbroken copy. Takes some minutes and needs what `make setup` sets up.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).resolve().parents[2]
KIT = PROJECT / "offline" / "slipway_offline"
PLUGINS = ("docker=5.2.0", "random=4.21.4")


class Mutation(NamedTuple):
    """A heading of the README, the test that must fail, and the text that is replaced in one file of the kit."""

    row: str
    test: str
    file: str
    old: str
    new: str


def of(row: str, tests: str, **changes: list[tuple[str, str, str]]) -> list[Mutation]:
    """The mutations under one heading: for each test of one file (its name less `test_`) what makes it fail."""
    return [Mutation(row, f"{tests}.py::test_{test}", file, old, new)
            for test, mutations in changes.items() for file, old, new in mutations]


CONTAINER, SPEC, STATE, PROPERTIES = (
    f"docker_provider/container{part}.py" for part in ("", "_spec", "_state", "_properties"))
CONTEXT, IMAGE, IMAGES, BUILDKIT, VOLUME, ENGINE = (
    f"docker_provider/{name}.py"
    for name in ("build_context", "image", "images", "buildkit", "volume", "engine"))
LABEL = 'record({"label": text(required=True), "value": text(required=True)})'

MUTATIONS = [
    *of(
        "Replacement order", "test_replacement",
        the_old_one_goes_first_unless_the_program_says_otherwise=[
            (CONTAINER, "    delete_first = True\n", "    delete_first = False\n")],
        create_first_starts_the_new_one_and_waits_for_its_health_before_it_stops_the_old=[
            (CONTAINER, 'if inputs.get("wait"):', "if False:")],
    ),
    *of(
        "Failing health", "test_failing_health",
        while_init_errors_replace_only_a_refresh_lets_an_unhealthy_newcomer_cost_the_healthy_one=[
            (CONTAINER, "raise InitError(message, container_id, inputs | {UNFINISHED: step})",
             "raise OperationError(message)"),
            (CONTAINER, 'if status == "healthy":', 'if status != "starting":')],
    ),
    *of(
        "What an edit does", "test_edits",
        the_plan_says_what_an_edit_does_and_the_run_does_it=[
            (PROPERTIES, '"memory": integer(in_place=True, ', '"memory": integer('),
            (PROPERTIES, '"tmpfs": map_of(text(), in_place=True)', '"tmpfs": map_of(text())'),
            (PROPERTIES, '"envs": set_of(text(), computed=True)', '"envs": list_of(text(), computed=True)'),
            (PROPERTIES, '"user": text()', '"user": text(in_place=True)')],
        labels_that_were_all_taken_out_stay_on_the_container=[
            (PROPERTIES, f"LABELS = set_of({LABEL}, computed=True)", f"LABELS = set_of({LABEL})")],
        memory_and_restart_policy_change_in_the_running_container=[
            (CONTAINER, "if changed & LIMITS:", "if False:")],
    ),
    *of(
        "Hardened container", "test_hardened_container",
        every_setting_reaches_the_engine=[
            (SPEC, '"CapDrop": capabilities.get("drops")', '"CapDrop": None'),
            (SPEC, '"SecurityOpt": inputs.get("securityOpts")', '"SecurityOpt": None')],
        it_is_on_exactly_the_networks_that_the_program_names=[
            (CONTAINER, "        if networks:\n", "        if False:\n")],
        neither_a_second_run_nor_a_refresh_finds_a_difference=[
            (STATE, 'inputs["init"] != bool(', 'inputs["init"] == bool(')],
        settings_written_otherwise_than_the_engine_reads_them_differ_on_every_run=[
            (CONTAINER, 'result["cpus"] = as_read(inputs["cpus"])', "pass"),
            (CONTAINER, "unset | normalised(old_inputs)", "normalised(old_inputs)")],
    ),
    *of(
        "Images", "test_images",
        a_changed_mode_is_a_change=[
            (CONTEXT, r"\0{mode:o}\0", r"\0")],
        nothing_is_built_when_only_times_and_ignored_files_changed=[
            (CONTEXT, "mode = path.lstat().st_mode", "mode = path.lstat().st_mode + int(path.lstat().st_mtime)")],
        changed_code_builds_again_and_replaces_what_runs_it_and_nothing_else=[
            (IMAGE, "return dict.fromkeys([*self.outputs, *self.properties], UNKNOWN)",
             "return super().planned(inputs)"),
            (IMAGE, "        return self.planned(inputs)\n", "        return old | inputs\n")],
        a_build_that_gives_the_same_image_leaves_the_container_alone_also_under_a_new_name=[
            (IMAGE, '"imageName": text(required=True, in_place=True)', '"imageName": text(required=True)')],
        a_build_that_fails_shows_what_it_printed_and_leaves_the_running_container=[
            (BUILDKIT, "for line in lines(event):", "for line in ():")],
    ),
    *of(
        "Volumes, and destroy", "test_volumes",
        a_retained_volume_outlives_changes_and_the_stack_and_is_adopted_with_its_data=[
            (VOLUME, f"set_of({LABEL})", f"set_of({LABEL}, in_place=True)"),
            (VOLUME, "self.engine.remove_volume(resource_id, force=True)", "None")],
    ),
    *of(
        "Grace", "test_grace",
        a_request_is_finished_only_within_a_grace_that_the_state_had_before_the_replacement=[
            (CONTAINER, 'timeout=state.get("destroyGraceSeconds") or 0', "timeout=0"),
            (CONTAINER, 'timeout=state.get("destroyGraceSeconds") or 0', "timeout=10")],
    ),
    *of(
        "Drift", "test_drift",
        a_plain_run_sees_no_drift_and_a_refresh_repairs_some_of_it=[
            (STATE, 'seen["mustRun"] = False', "pass"),
            (STATE, "if read(found) != inputs.get(key, absent)}", "if False}"),
            (CONTAINER, 'and old.get("mustRun") is False:', "and False:")],
    ),
    *of(
        "Dynamic resources, and a release gate as one", "test_release_gate",
        no_re_run_and_no_refresh_gets_past_a_failed_gate_and_repaired_code_cleans_up=[
            (STATE, "    return seen\n",
             ('    sick = found["State"].get("Health", {}).get("Status") == "unhealthy"\n'
              '    return seen | {"image": "another"} if sick else seen\n'))],
    ),
    *of(
        "Secrets", "test_secrets",
        a_secret_reaches_its_container_and_neither_the_state_nor_the_terminal=[
            (CONTAINER, "inputs | {UNFINISHED: step})", 'inputs | {UNFINISHED: step, "bridge": str(inputs)})'),
            ("random_provider.py", "return self.marked(state), inputs",
             'return self.marked(state | {"result": "another"}), inputs')],
    ),
    *of(
        "Mistakes", "test_bad_inputs",
        an_unknown_or_malformed_setting_is_refused_by_a_preview_that_names_it=[
            ("properties.py", "        elif value is not None:\n", "        elif False:\n"),
            (PROPERTIES, '"interval": text(default="0s", valid=a_duration)', '"interval": text(default="0s")')],
        an_image_that_is_nowhere_fails_the_run_by_name_and_the_next_run_repairs_it=[
            (IMAGES, 'f"image {name} is not on this engine and cannot be pulled: {reason(error)}"', '"no image"')],
    ),
]


def lay_out(kit: Path, home: Path) -> None:
    """Lays a copy of the kit's plugins out in `home`, under the Python that runs this."""
    plugins = [word for plugin in PLUGINS for word in ("--plugin", plugin)]
    subprocess.run([sys.executable, "-m", "slipway_offline.layout", "--tools", home / "bin", "--home", home,
                    "--python", sys.executable, *plugins], check=True, env=os.environ | {"PYTHONPATH": str(kit.parent)})


def tested(mutation: Mutation | None, tests: list[str], folder: Path) -> str:
    """pytest's output about `tests` with the mutated kit."""
    kit, home = folder / "offline" / KIT.name, folder / "home"
    shutil.copytree(KIT, kit, ignore=shutil.ignore_patterns("__pycache__"))
    if mutation:
        path = kit / mutation.file
        mutated = path.read_text().replace(mutation.old, mutation.new)
        compile(mutated, path, "exec")  # a plugin that cannot even start would prove nothing
        path.write_text(mutated)
    lay_out(kit, home)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=line", "-p", "no:cacheprovider",
         *(f"tests/contract/{test}" for test in tests)],
        cwd=PROJECT, env=os.environ | {"PULUMI_HOME": str(home)}, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def noticed(output: str, test: str) -> bool:
    """Whether this test failed, or the fixture in which it and its neighbours run their stack."""
    return bool(re.search(rf"^(FAILED|ERROR) tests/contract/{re.escape(test)}\b", output, re.MULTILINE))


def main(words: list[str]) -> int:
    chosen = [each for each in MUTATIONS if not words or any(word in each.row + each.file for word in words)]
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        output = tested(None, sorted({each.test for each in chosen}), Path(folder, "unbroken"))
        if re.search(r"^(FAILED|ERROR) ", output, re.MULTILINE) or " passed" not in output:
            print(output, "\nThe tests must pass on the unbroken plugin first.")
            return 1
        for number, each in enumerate(chosen):
            start = time.monotonic()
            red = noticed(output := tested(each, [each.test], Path(folder, str(number))), each.test)
            unnoticed += not red
            what = " ".join(each.old.split())
            print(f"{'red' if red else 'GREEN':5}  {time.monotonic() - start:4.0f} s  {each.row[:20]:20}  "
                  f"{each.file.rpartition('/')[2]:26}  {what[:60]}", flush=True)
            if not red:
                print(output)
    print(f"{len(chosen) - unnoticed} of {len(chosen)} mutations were noticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
