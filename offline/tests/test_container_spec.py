"""What the engine is asked for, what is refused, and what counts as drift: without an engine."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any, cast

import pytest
from slipway_offline.docker_provider import container_uploads
from slipway_offline.docker_provider.container import Container
from slipway_offline.docker_provider.container_spec import bind, container_config, endpoint, healthcheck, port_bindings
from slipway_offline.docker_provider.container_state import drift, outputs_of
from slipway_offline.properties import problems
from slipway_offline.resource import OperationError, Values
from slipway_offline.values import UNKNOWN


class OldEngine:
    api = (1, 41)


class NewEngine:
    api = (1, 51)


def container(engine: Any = None) -> Container:
    return Container(cast("Any", engine or OldEngine()))


def refusals(inputs: Values, engine: Any = None) -> list[str]:
    it = container(engine)
    found = list(problems(it.properties, inputs, "docker"))
    return [problem.reason for problem in found or it.check(inputs)]


def changes(old: Values, new: Values, state: Values | None = None) -> dict[str, bool]:
    """{path: whether it replaces}"""
    return {change.path: change.replaces for change in container().changes(old, state or {}, new)}


# -- asking

def test_what_the_program_does_not_say_is_not_asked_for() -> None:
    assert container_config({"image": "app"}) == {
        "Image": "app", "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}}}


def test_ports_are_published_where_the_program_says() -> None:
    ports: list[Values] = [{"internal": 80, "external": 8080, "ip": "127.0.0.1"}, {"internal": 80, "external": 8081},
                           {"internal": 53, "protocol": "udp"}]
    assert port_bindings(ports) == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}, {"HostIp": "0.0.0.0", "HostPort": "8081"}],
        "53/udp": [{"HostIp": "0.0.0.0", "HostPort": ""}]}
    assert container_config({"image": "app", "ports": ports})["ExposedPorts"] == {"80/tcp": {}, "53/udp": {}}


@pytest.mark.parametrize(("volume", "text"), [
    ({"volumeName": "data", "containerPath": "/data"}, "data:/data:rw"),
    ({"hostPath": "/src", "containerPath": "/app", "readOnly": True}, "/src:/app:ro"),
    ({"hostPath": "/src", "containerPath": "/app", "selinuxRelabel": "z"}, "/src:/app:rw,z"),
])
def test_a_volume_is_bound_with_its_flags(volume: Values, text: str) -> None:
    assert bind(volume) == text


def test_a_volume_with_nothing_but_a_path_is_anonymous() -> None:
    config = container_config({"image": "app", "volumes": [{"containerPath": "/data"}, {"fromContainer": "other"}]})
    assert config["Volumes"] == {"/data": {}}
    assert config["HostConfig"]["VolumesFrom"] == ["other"]
    assert "Binds" not in config["HostConfig"]


def test_durations_of_a_health_check_go_over_in_nanoseconds_and_zero_is_left_to_the_image() -> None:
    assert healthcheck({"tests": ["CMD", "true"], "interval": "1m30s", "timeout": "0s", "retries": 0}) == {
        "Test": ["CMD", "true"], "Interval": 90 * 10**9}
    assert healthcheck(None) is None


def test_log_options_reach_the_engine_without_a_driver_too() -> None:
    config = container_config({"image": "app", "logOpts": {"max-size": "1m"}})
    assert config["HostConfig"]["LogConfig"] == {"Type": "", "Config": {"max-size": "1m"}}


def test_a_network_is_joined_with_aliases_and_address() -> None:
    assert endpoint({"name": "back", "aliases": ["db"], "ipv4Address": "10.1.0.9", "ipv6Address": "fd00::9",
                     "driverOpts": ["a=b=c"]}) == {
        "Aliases": ["db"], "IPAMConfig": {"IPv4Address": "10.1.0.9", "IPv6Address": "fd00::9"},
        "DriverOpts": {"a": "b=c"}}


def test_uploads_become_a_tar_with_modes_and_owners(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"\0file")
    data = container_uploads.archive([
        {"file": "/etc/a", "content": "ä"}, {"file": "/bin/b", "contentBase64": "AAE=", "executable": True},
        {"file": "/c", "source": str(tmp_path / "source"), "permissions": "0400", "owner": "10001",
         "group": "www-data"}])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        seen = {entry.name: (entry.mode, entry.uid, entry.gname, cast("Any", tar.extractfile(entry)).read())
                for entry in tar}
    assert seen == {"etc/a": (0o644, 0, "", "ä".encode()), "bin/b": (0o744, 0, "", b"\0\1"),
                    "c": (0o400, 10001, "www-data", b"\0file")}


def test_a_source_that_cannot_be_read_is_named() -> None:
    with pytest.raises(OperationError, match=r"uploads\[0\].source: /no/such/file: No such file"):
        container_uploads.archive([{"file": "/a", "source": "/no/such/file"}])


# -- refusing

@pytest.mark.parametrize(("inputs", "reason"), [
    ({"gpus": "all"}, "the offline docker plugin does not support gpus"),
    ({"platform": "linux/amd64"}, "does not support platform"),
    ({"mounts": [{"type": "volume", "target": "/x", "volumeOptions": {"labels": []}}]},
     "does not support mounts[0].volumeOptions.labels; it supports driverName"),
    ({"mounts": [{"type": "disk", "target": "/x"}]}, 'mounts[0].type is "disk"; it must be one of bind, volume, tmpfs'),
    ({"mounts": [{"type": "bind", "target": "x"}]}, 'mounts[0].target is "x"; it must be an absolute path'),
    ({"healthcheck": {"interval": "30"}}, 'healthcheck.interval is malformed: "30" is not a duration such as "30s"'),
    ({"restart": "sometimes"}, 'restart is "sometimes"; it must be one of no, on-failure, always, unless-stopped'),
    ({"ports": [{"internal": 70000}]}, "ports[0].internal is 70000; a port is a number up to 65535"),
    ({"ports": [{"external": 80}]}, "ports[0].internal is required"),
    ({"memory": -5}, "memory is -5; it must be at least 0"),
    ({"cpus": "half"}, 'cpus is "half"; it must be a number of processors such as "0.5"'),
    ({"name": "a b"}, 'name is "a b"; a container name is made of'),
    ({"command": ["a", ""]}, "command must not hold an empty string"),
    ({"uploads": [{"file": "/a"}]}, "uploads[0] needs exactly one of content, contentBase64, source"),
    ({"uploads": [{"file": "/a", "content": "x", "source": "/y"}]}, "here content and source are set"),
    ({"uploads": [{"file": "/a", "content": "x", "permissions": "644"}]}, "it must be an octal mode such as"),
    ({"uploads": [{"file": "/a", "contentBase64": "?"}]}, "uploads[0].contentBase64 is not base64"),
])
def test_a_bad_input_is_refused_before_anything_is_touched(inputs: Values, reason: str) -> None:
    found = refusals({"image": "app"} | inputs)
    assert len(found) == 1
    assert reason in found[0]


@pytest.mark.parametrize(("inputs", "needed"), [
    ({"healthcheck": {"startInterval": "1s"}}, "healthcheck.startInterval needs an engine with API 1.44"),
    ({"networksAdvanced": [{"name": "a", "macAddress": "02:00:00:00:00:01"}]}, "networksAdvanced.macAddress needs"),
    ({"networksAdvanced": [{"name": "a"}, {"name": "b", "gwPriority": 1}]}, "networksAdvanced.gwPriority needs"),
    ({"mounts": [{"type": "volume", "target": "/x", "volumeOptions": {"noCopy": True}}]}, "mounts.volumeOptions needs"),
])
def test_what_only_a_newer_engine_knows_is_refused_on_an_older_one(inputs: Values, needed: str) -> None:
    found = refusals({"image": "app"} | inputs)
    assert len(found) == 1
    assert needed in found[0]
    assert "this one has 1.41" in found[0]
    assert not refusals({"image": "app"} | inputs, NewEngine())


def test_what_a_preview_does_not_know_is_not_refused() -> None:
    assert not refusals({"image": UNKNOWN, "networksAdvanced": [{"name": UNKNOWN, "aliases": UNKNOWN}],
                         "uploads": [{"file": "/a", "content": UNKNOWN}], "mounts": UNKNOWN, "healthcheck": UNKNOWN})


# -- differing

@pytest.mark.parametrize("field", [
    {"envs": ["A=1"]}, {"labels": [{"label": "a", "value": "b"}]}, {"command": ["x"]}, {"entrypoints": ["x"]},
    {"image": "new"}, {"user": "app"}, {"readOnly": True}, {"cpus": "0.5"}, {"logOpts": {"max-size": "1m"}},
    {"ulimits": [{"name": "nofile", "soft": 1, "hard": 2}]}, {"shmSize": 64}, {"stopSignal": "SIGINT"},
    {"stopTimeout": 5}, {"uploads": [{"file": "/a", "content": "b"}]}, {"networksAdvanced": [{"name": "n"}]},
    {"ports": [{"internal": 80}]}, {"capabilities": {"drops": ["ALL"]}}, {"securityOpts": ["no-new-privileges"]}])
def test_most_settings_replace_the_container(field: Values) -> None:
    assert all(changes({"image": "old"}, {"image": "old"} | field).values())
    assert changes({"image": "old"}, {"image": "old"} | field)


@pytest.mark.parametrize("field", [
    {"memory": 64}, {"memorySwap": 64}, {"restart": "always"}, {"healthcheck": {"tests": ["NONE"]}},
    {"tmpfs": {"/tmp": ""}}, {"init": True}, {"destroyGraceSeconds": 9}, {"waitTimeout": 9}, {"mustRun": False}])
def test_some_settings_are_updates(field: Values) -> None:
    assert list(changes({}, field).values()) == [False]


def test_emptied_environment_replaces_emptied_labels_and_absence_do_not() -> None:
    old = {"envs": ["A=1"], "securityOpts": ["x"], "labels": [{"label": "a", "value": "b"}], "command": ["x"]}
    assert changes(old, {}) == {}
    assert changes(old, {"envs": [], "securityOpts": [], "labels": []}) == {"envs": True, "securityOpts": True}


@pytest.mark.parametrize(("inputs", "path"), [
    ({"cpus": "1"}, "cpus"), ({"healthcheck": {"interval": "60s"}}, "healthcheck.interval")])
def test_a_notation_that_the_engine_does_not_use_is_a_change_at_each_run(inputs: Values, path: str) -> None:
    assert list(changes(inputs, inputs)) == [path]


def test_the_engines_own_notation_is_no_change() -> None:
    inputs = {"cpus": "1.0", "healthcheck": {"interval": "1m0s", "timeout": "500ms"}}
    assert changes(inputs, inputs) == {}


def test_memory_without_swap_shows_the_swap_that_the_engine_chose() -> None:
    assert changes({"memory": 64}, {"memory": 64}, {"memory": 64, "memorySwap": 128}) == {"memorySwap": False}
    both = {"memory": 64, "memorySwap": 64}
    assert changes(both, both, both) == {}


@pytest.mark.parametrize("step", ["uploads", "networksAdvanced", "start", "attach"])
def test_a_container_that_was_not_made_completely_is_replaced_by_the_next_run(step: str) -> None:
    inputs = {"image": "app", "entrypoints": ["x"]}
    assert changes(inputs, inputs, {"__unfinished": step}) == {step: True}


def test_after_a_failed_wait_only_a_container_without_an_entry_point_of_its_own_is_replaced() -> None:
    assert changes({"image": "app"}, {"image": "app"}, {"__unfinished": "wait"}) == {"entrypoints": True}
    inputs = {"image": "app", "entrypoints": ["x"]}
    assert changes(inputs, inputs, {"__unfinished": "wait"}) == {}


# -- reading back

def found(**host: Any) -> Values:
    defaults = {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "Memory": 0, "MemorySwap": 0, "NanoCpus": 0,
                "MemoryReservation": 0, "CpuShares": 0, "CpusetCpus": "", "IpcMode": "private", "Runtime": "runc",
                "LogConfig": {"Type": "json-file", "Config": {}}, "SecurityOpt": None, "ShmSize": 64 * 2**20}
    return {"Name": "/app", "State": {"Running": True, "ExitCode": 0}, "HostConfig": defaults | host,
            "Config": {"Hostname": "abc", "Cmd": ["run"], "Entrypoint": None, "Healthcheck": {"Test": ["CMD", "true"]}},
            "NetworkSettings": {"Networks": {}, "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "49153"}]}}}


def test_a_container_as_it_was_asked_for_has_not_drifted() -> None:
    inputs = {"name": "app", "image": "app", "memory": 64, "memorySwap": 64, "cpus": "0.5", "init": True,
              "tmpfs": {"/tmp": "size=1m"}, "healthcheck": {"tests": ["CMD", "true"]}, "restart": "always"}
    assert drift(found(Memory=64 * 2**20, MemorySwap=64 * 2**20, NanoCpus=500_000_000, Init=True,
                       Tmpfs={"/tmp": "size=1m"}, RestartPolicy={"Name": "always", "MaximumRetryCount": 0}),
                 inputs) == {}


@pytest.mark.parametrize(("host", "inputs", "seen"), [
    ({"Memory": 32 * 2**20}, {"memory": 64}, {"memory": 32}),
    ({"Memory": 32 * 2**20}, {}, {"memory": 32}),
    ({"MemorySwap": -1}, {"memorySwap": 64}, {"memorySwap": -1}),
    ({"NanoCpus": 10**9}, {"cpus": "0.5"}, {"cpus": "1.0"}),
    ({"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}}, {}, {"restart": "always"}),
    ({}, {"tmpfs": {"/tmp": ""}}, {"tmpfs": {}}),
    ({}, {"init": True}, {"init": False}),
    ({}, {"name": "other"}, {"name": "app"}),
    ({}, {"healthcheck": {"tests": ["NONE"]}}, {"healthcheck": {
        "tests": ["CMD", "true"], "interval": "0s", "timeout": "0s", "startPeriod": "0s", "retries": 0}}),
])
def test_what_was_changed_behind_our_back_is_drift(host: Values, inputs: Values, seen: Values) -> None:
    assert drift(found(**host), {"name": "app"} | inputs) == seen


def test_a_stopped_container_has_drifted_unless_it_may_stop() -> None:
    stopped = found() | {"State": {"Running": False, "ExitCode": 3}}
    assert drift(stopped, {"name": "app"}) == {"mustRun": False}
    assert drift(stopped, {"name": "app", "mustRun": False}) == {}
    assert outputs_of(stopped, {"name": "app"})["exitCode"] == 3


def test_the_port_that_the_engine_chose_is_given_out() -> None:
    outputs = outputs_of(found(), {"ports": [{"internal": 80}]})
    assert outputs["ports"] == [{"internal": 80, "ip": "0.0.0.0", "protocol": "tcp", "external": 49153}]
    planned = container().planned({"image": "app", "ports": [{"internal": 80}, {"internal": 81, "external": 1}]})
    assert [port["external"] for port in planned["ports"]] == [UNKNOWN, 1]
    assert container().planned_update(outputs, {"ports": [{"internal": 80}]})["ports"] == outputs["ports"]
