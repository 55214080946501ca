"""One-shot jobs, on a real engine."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from docker.models.containers import Container

from slipway.core import hashing
from slipway.core.naming import HELPER_LABEL, STACK_LABEL
from slipway.engine.errors import Failure
from slipway.providers.job import INPUTS_LABEL, TRIGGERS, JobProvider
from tests.providers.place import Place
from tests.support import engine
from tests.support.waiting import wait_until


def wanted(place: Place, script: str, **changes: Any) -> dict[str, Any]:
    props = {
        "engine": place.engine,
        "container": f"{place.name}-migrate",
        "image": place.image,
        "command": ["sh", "-c", script],
        "env": {"GREETING": "hello"},
        "networks": [],
        "mounts": [{"source": f"{place.name}-data", "target": "/data", "read_only": False}],
        "user": "0",
        "memory": 64.0,
        "timeout": 30.0,
        "hardened": True,
        "once": False,
        "triggers": {},
        "labels": place.labels,
    }
    return props | changes


def runs(place: Place) -> int:
    """How often a job whose script adds a line to /data/runs did so."""
    return len(place.run("sh", "-c", "cat /volume/runs || true", volume=f"{place.name}-data").splitlines())


def test_a_job_of_another_stack_of_the_same_name_is_left_alone(place: Place) -> None:
    props = wanted(place, "true")
    theirs = {**place.labels, STACK_LABEL: "another", HELPER_LABEL: "job"}
    running = engine.client().containers.run(
        place.image, ["sleep", "60"], entrypoint=[], name=props["container"], labels=theirs, detach=True
    )
    with pytest.raises(Failure, match="is another stack's"):
        JobProvider().create(props)
    with pytest.raises(Failure, match="is another stack's"):
        JobProvider().delete("", props)
    running.reload()
    assert running.status == "running"
    running.remove(force=True)


COUNT = "echo ran >> /data/runs; "


def test_the_log_is_shown_line_by_line_and_the_container_is_gone_afterwards(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    props = wanted(place, "echo $GREETING; echo problem >&2; printf 'no line end'")
    made = JobProvider().create(props)
    shown = capfd.readouterr().err
    assert {f"{place.name}-migrate: {text}" for text in ("hello", "problem", "no line end")} <= set(shown.splitlines())
    assert made.outs == props
    assert place.leftovers() == []


def test_temporary_files_may_be_larger_than_its_memory_where_it_has_room_on_disk(place: Place) -> None:
    script = 'head -c 100000000 /dev/zero > "$TMPDIR/large"'
    props = wanted(place, script, spool=True, user="1000")
    assert JobProvider().create(props).outs == props
    assert place.leftovers() == []


def test_a_line_is_shown_while_the_job_still_runs(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    props = wanted(place, "echo first; until [ -e /data/go ]; do sleep 0.1; done")
    job = threading.Thread(target=JobProvider().create, args=(props,))
    job.start()
    wait_until("the line is shown", lambda: "first" in capfd.readouterr().err, 15)
    place.run("touch", "/volume/go", volume=f"{place.name}-data")
    job.join(timeout=15)
    assert not job.is_alive()


def test_a_non_zero_exit_fails_with_the_last_lines_and_keeps_the_container(place: Place) -> None:
    with pytest.raises(Failure) as failure:
        JobProvider().create(wanted(place, "for i in $(seq 200); do echo line $i; done; exit 3"))
    assert "ended with exit code 3" in str(failure.value)
    assert "line 200" in str(failure.value)
    assert "line 100\n" not in str(failure.value)
    assert f"docker logs {place.name}-migrate" in str(failure.value)
    assert place.leftovers() == [f"{place.name}-migrate"]


def test_a_failed_job_runs_again_with_the_same_inputs(place: Place) -> None:
    props = wanted(place, COUNT + "[ $(wc -l < /data/runs) = 2 ]")
    with pytest.raises(Failure):
        JobProvider().create(props)
    JobProvider().create(props)
    assert runs(place) == 2
    assert place.leftovers() == []


def test_a_job_that_takes_too_long_is_asked_to_end_and_the_run_fails(place: Place) -> None:
    script = "trap 'echo rolled back; exit 1' TERM; echo busy; while :; do sleep 0.1; done"
    with pytest.raises(Failure) as failure:
        JobProvider().create(wanted(place, script, timeout=1.5))
    assert "took longer than 1.5 s" in str(failure.value)
    assert "rolled back" in str(failure.value)
    assert engine.container(f"{place.name}-migrate").status == "exited"


def test_too_little_memory_is_named(place: Place) -> None:
    with pytest.raises(Failure, match="more memory than its limit"):
        JobProvider().create(wanted(place, "python3 -c 'x = bytearray(200 << 20)'; exit $?"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image", "other"),
        ("command", ["true"]),
        ("env", {"GREETING": "bye"}),
        ("mounts", []),
        ("user", "1000"),
    ],
)
def test_a_change_of_what_it_does_runs_it_again(place: Place, name: str, value: object) -> None:
    old = wanted(place, "true")
    result = JobProvider().diff("", old, wanted(place, "true", **{name: value}))
    assert (result.changes, result.replaces) == (True, [])
    assert name in JobProvider.work


def test_an_update_runs_it_again_and_other_settings_do_not(place: Place) -> None:
    provider, old = JobProvider(), wanted(place, COUNT, triggers={"cluster": "1"})
    provider.create(old)
    provider.update("", old, old | {"triggers": {"cluster": "2"}})
    assert runs(place) == 2
    later = old | {"timeout": 60, "memory": 128, "labels": {}}
    assert provider.update("", old, later).outs == later
    assert provider.diff("", old, dict(old)).changes is False
    assert runs(place) == 2


def left_by_a_killed_run(place: Place, props: dict[str, Any], *, digest: str = "") -> Container:
    """The container as `start` makes it, going on by itself."""
    work = {key: props[key] for key in (*JobProvider.work, TRIGGERS)}
    return engine.client().containers.run(
        place.image,
        props["command"],
        name=props["container"],
        volumes={f"{place.name}-data": {"bind": "/data"}},
        labels={HELPER_LABEL: "job", INPUTS_LABEL: digest or hashing.of_value(work)},
        detach=True,
    )


def test_a_job_that_outlived_its_run_is_waited_for_and_not_started_twice(place: Place) -> None:
    props = wanted(place, COUNT + "sleep 2; echo done >> /data/done")
    left_by_a_killed_run(place, props)
    JobProvider().create(props)
    assert runs(place) == 1
    assert place.run("cat", "/volume/done", volume=f"{place.name}-data") == "done\n"
    assert place.leftovers() == []


def test_a_job_that_ended_well_after_its_run_was_killed_is_not_run_again(place: Place) -> None:
    props = wanted(place, COUNT)
    left_by_a_killed_run(place, props).wait(timeout=20)
    JobProvider().create(props)
    assert runs(place) == 1


def test_a_job_with_other_inputs_that_outlived_its_run_is_ended_first(place: Place) -> None:
    old = wanted(place, "trap 'echo ended >> /data/runs; exit 1' TERM; while :; do sleep 0.1; done")
    left_by_a_killed_run(place, old, digest="another")
    JobProvider().create(wanted(place, "echo new >> /data/runs"))
    assert place.run("cat", "/volume/runs", volume=f"{place.name}-data") == "ended\nnew\n"


def test_it_is_hardened_and_reaches_only_the_networks_given(place: Place) -> None:
    networks = [engine.client().networks.create(f"{place.name}-{side}", internal=True).name for side in ("a", "b")]
    script = """
        set -e
        ! touch /etc/x
        touch /run/x /tmp/x
        grep -q 'CapEff:.0000000000000000' /proc/self/status
        grep -q 'NoNewPrivs:.1' /proc/self/status
        [ "$(id -u)" = 1000 ]
        [ "$(grep -c eth /proc/net/dev)" = 2 ]
        """
    JobProvider().create(wanted(place, script, networks=networks, user="1000"))


def test_deleting_takes_a_failed_container_along_runs_nothing_and_may_be_repeated(place: Place) -> None:
    props = wanted(place, COUNT + "exit 1")
    with pytest.raises(Failure):
        JobProvider().create(props)
    JobProvider().delete("", props)
    JobProvider().delete("", props)
    assert place.leftovers() == []
    assert runs(place) == 1


def test_what_is_run_once_is_not_run_again_for_a_new_image_and_is_for_new_data(place: Place) -> None:
    first = wanted(place, COUNT, once=True, triggers={"cluster": None})
    JobProvider().create(first)
    second = wanted(place, COUNT + "true", once=True, env={"GREETING": "other"})
    assert JobProvider().update("", first, second).outs == second
    assert runs(place) == 1
    known = {**second, "triggers": {"cluster": "1"}}
    assert JobProvider().update("", second, known).outs == known, "a database that was not known yet is no other one"
    assert runs(place) == 1
    JobProvider().update("", known, {**known, "triggers": {"cluster": "2"}})
    assert runs(place) == 2


def test_the_cause_is_named_where_the_log_shows_it(place: Place) -> None:
    with pytest.raises(Failure) as failure:
        JobProvider().create(wanted(place, "echo 'ERROR: canceling statement due to lock timeout'; exit 1"))
    assert "ended with exit code 1: lock timeout" in str(failure.value)
    assert "migrations.lockTimeout" in str(failure.value)


def test_a_suspended_job_does_not_run_and_afterwards_only_when_something_is_new(place: Place) -> None:
    provider, first = JobProvider(), wanted(place, COUNT)
    state = provider.create(first).outs or {}
    other = wanted(place, COUNT, env={"GREETING": "older"})
    assert not provider.diff("", state, {**other, "suspended": True}).changes
    assert not provider.diff("", state, first).changes, "as if nothing had been"
    assert provider.diff("", state, other).changes
    assert runs(place) == 1


def test_a_job_that_was_suspended_from_the_first_runs_when_it_may(place: Place) -> None:
    provider, props = JobProvider(), wanted(place, COUNT)
    state = provider.create({**props, "suspended": True}).outs or {}
    assert runs(place) == 0
    assert provider.diff("", state, props).changes
    assert provider.update("", state, props).outs == props
    assert runs(place) == 1
