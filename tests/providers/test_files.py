"""Files in volumes, on a real engine."""

from __future__ import annotations

from typing import Any

import pytest
from docker.errors import ContainerError, NotFound

from slipway.core.naming import HELPER_LABEL, JOB
from slipway.engine import filling
from slipway.engine.errors import Failure
from slipway.providers.files import FilesVolumeProvider, OwnedVolumeProvider
from tests.providers.place import Place
from tests.support import engine
from tests.support.waiting import wait_until

FILES = {"exec": "#!/bin/sh\n", "env/PASSWORD": "swordfish", "env/KEY": "äöü\n"}


def wanted(place: Place, **changes: Any) -> dict[str, Any]:
    props = {
        "engine": place.engine,
        "volume": f"{place.name}-secrets",
        "files": FILES,
        "uid": 1000.0,  # numbers arrive as protobuf has them
        "gid": 1000.0,
        "mode": 0o400,
        "image": place.image,
        "labels": place.labels,
    }
    return props | changes


def listing(place: Place, volume: str) -> str:
    return place.run("find", "/volume", "-printf", "%m %U:%G %P\n", volume=volume)


def test_files_and_folders_are_their_users_alone(place: Place) -> None:
    made = FilesVolumeProvider().create(wanted(place))
    assert made.id == f"{place.name}-secrets"
    assert sorted(listing(place, made.id).splitlines()) == [
        "400 1000:1000 env/KEY",
        "400 1000:1000 env/PASSWORD",
        "400 1000:1000 exec",
        "500 1000:1000 ",
        "500 1000:1000 env",
    ]
    assert place.run("cat", "/volume/env/KEY", user="1000", volume=made.id, privileged=False) == "äöü\n"
    with pytest.raises(ContainerError):
        place.run("cat", "/volume/env/KEY", user="1001", volume=made.id, privileged=False)


def test_the_volume_has_the_stacks_labels_and_no_helper_is_left(place: Place) -> None:
    made = FilesVolumeProvider().create(wanted(place))
    assert engine.client().volumes.get(made.id).attrs["Labels"] == place.labels
    assert place.leftovers() == []


def test_no_process_sees_a_new_volumes_files(place: Place) -> None:
    events = engine.Events(place.name)
    FilesVolumeProvider().create(wanted(place))
    assert {action for _, action in events.seen()} <= {"create", "extract-to-dir", "destroy"}


def test_outputs_are_the_inputs_so_that_the_engine_keeps_their_secrets(place: Place) -> None:
    made = FilesVolumeProvider().create(wanted(place) | {"__provider": "…"})
    assert made.outs == wanted(place)


def test_a_run_that_was_killed_is_repeated(place: Place) -> None:
    """Whatever it left: the helper, the volume, some of the files."""
    name = f"{place.name}-secrets"
    engine.client().containers.create(
        place.image,
        ["true"],
        name=f"{name}.files",
        labels={HELPER_LABEL: "files"},
        volumes={name: {"bind": "/slipway/volume"}},
    )
    place.run("sh", "-c", "echo half > /volume/exec", volume=name)
    FilesVolumeProvider().create(wanted(place))
    assert place.run("cat", "/volume/exec", volume=name) == "#!/bin/sh\n"
    assert place.leftovers() == []


def test_two_folders_of_one_volume_are_filled_at_the_same_time(place: Place) -> None:
    """As the static files of two services are: none may take the other's helper for one that a killed run left."""
    made = FilesVolumeProvider().create(wanted(place))
    one, other = ({**wanted(place), "volume": made.id, "folder": f"{service}/current"} for service in ("ui", "shop"))
    with filling.helper(engine.client(), one, ["true"]) as first:
        with filling.helper(engine.client(), other, ["true"]) as second:
            assert first.id != second.id
        filling.run(first)
    assert place.leftovers() == []


def test_a_container_of_somebody_else_is_not_removed(place: Place) -> None:
    name = f"{place.name}-secrets.files"
    engine.client().containers.create(place.image, ["true"], name=name)
    with pytest.raises(Failure, match="rename or remove it"):
        FilesVolumeProvider().create(wanted(place))
    assert place.leftovers() == [name]


def test_changed_files_replace_the_old_ones_and_forgotten_ones_go(place: Place) -> None:
    provider, old = FilesVolumeProvider(), wanted(place)
    provider.create(old)
    new = wanted(place, files={"exec": "new", "env/deep/NEWER": "1"}, uid=1001)
    assert provider.diff("", old, new).changes
    assert provider.diff("", old, new).replaces == []
    made = provider.update("", old, new)
    assert made.outs == new
    assert "400 1001:1000 exec\n" in listing(place, old["volume"])
    assert place.run("sh", "-c", "cd /volume; find . -type f", volume=old["volume"]).split() == [
        "./exec",
        "./env/deep/NEWER",
    ]
    assert place.leftovers() == []


def test_a_reader_never_meets_half_a_file(place: Place) -> None:
    """The old file's reader keeps it: the new one is another inode, put in place in one step."""
    provider, old = FilesVolumeProvider(), wanted(place, mode=0o444)
    provider.create(old)
    reader = engine.client().containers.run(
        place.image,
        [
            "sh",
            "-c",
            "exec 3< /volume/exec; echo open; until [ -e /volume/last ]; do sleep 0.1; done; cat <&3; cat /volume/exec",
        ],
        name=f"{place.name}-reader",
        volumes={old["volume"]: {"bind": "/volume", "mode": "ro"}},
        detach=True,
    )
    wait_until("the reader has opened the file", reader.logs, 10)
    provider.update("", old, wanted(place, mode=0o444, files={"exec": "new\n", "last": ""}))
    assert reader.wait(timeout=30)["StatusCode"] == 0
    assert reader.logs().decode() == "open\n#!/bin/sh\nnew\n"


def test_another_volume_name_is_another_volume_made_before_the_old_one_goes(place: Place) -> None:
    result = FilesVolumeProvider().diff("", wanted(place), wanted(place, volume="other", files={}))
    assert result.replaces == ["volume"]
    assert result.delete_before_replace is False


def test_labels_and_the_helpers_image_are_recorded_without_touching_the_volume(place: Place) -> None:
    provider, old = FilesVolumeProvider(), wanted(place)
    new = wanted(place, image="no/such:image")
    assert provider.diff("", old, new).changes
    assert provider.update("", old, new).outs == new


def test_nothing_changed_is_no_change(place: Place) -> None:
    old = wanted(place) | {"__provider": "as pickled by an earlier version"}
    result = FilesVolumeProvider().diff("", old, wanted(place) | {"__provider": "…"})
    assert result.changes is False


def test_a_refresh_finds_out_that_the_volume_is_gone(place: Place) -> None:
    provider, props = FilesVolumeProvider(), wanted(place)
    made = provider.create(props)
    assert provider.read(made.id, props).id == made.id
    engine.client().volumes.get(made.id).remove()
    assert provider.read(made.id, props).id == ""


def test_deleting_removes_the_volume_and_may_be_repeated(place: Place) -> None:
    provider, props = FilesVolumeProvider(), wanted(place)
    provider.create(props)
    provider.delete("", props)
    with pytest.raises(NotFound):
        engine.client().volumes.get(props["volume"])
    provider.delete("", props)


def test_a_volume_that_is_wanted_again_stays_when_the_resource_that_had_it_before_is_deleted(place: Place) -> None:
    provider, props = FilesVolumeProvider(), wanted(place)
    first, again, third = (provider.create(props) for _ in range(3))
    assert len({first.id, again.id, third.id}) == 3
    for former in (first, again, first):
        provider.delete(former.id, props)
        place.run("grep", "-qx", "swordfish", "/volume/env/PASSWORD", volume=props["volume"])
    changed = props | {"files": {"env/PASSWORD": "another"}}
    provider.update(third.id, props, changed)
    provider.delete(again.id, props)
    place.run("grep", "-qx", "another", "/volume/env/PASSWORD", volume=props["volume"])
    assert place.leftovers() == []
    provider.delete(third.id, changed)
    with pytest.raises(NotFound):
        engine.client().volumes.get(props["volume"])


def test_deleting_a_volume_in_use_names_who_uses_it(place: Place) -> None:
    provider, props = FilesVolumeProvider(), wanted(place)
    provider.create(props)
    engine.client().containers.create(
        place.image, ["true"], name=f"{place.name}-user", volumes=[f"{props['volume']}:/x"]
    )
    with pytest.raises(Failure, match=f"is still used by {place.name}-user"):
        provider.delete("", props)


def test_a_failed_jobs_container_does_not_keep_the_volume(place: Place) -> None:
    provider, props = FilesVolumeProvider(), wanted(place)
    provider.create(props)
    engine.client().containers.create(
        place.image, ["true"], name=f"{place.name}-job", labels={HELPER_LABEL: JOB}, volumes=[f"{props['volume']}:/x"]
    )
    provider.delete("", props)
    assert place.leftovers() == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ".", "a//b"])
def test_a_path_outside_the_volume_is_refused(place: Place, path: str) -> None:
    with pytest.raises(Failure, match="not a path inside the volume"):
        FilesVolumeProvider().create(wanted(place, files={path: ""}))


def owned(place: Place, **changes: Any) -> dict[str, Any]:
    props = wanted(place, volume=f"{place.name}-data", mode=0o755)
    del props["files"]
    return props | changes


def test_a_volume_is_given_to_its_user_and_what_is_in_it_is_left_alone(place: Place) -> None:
    engine.client().volumes.create(f"{place.name}-data")
    place.run("sh", "-c", "echo precious > /volume/data", volume=f"{place.name}-data")
    OwnedVolumeProvider().create(owned(place))
    assert sorted(listing(place, f"{place.name}-data").splitlines()) == [
        "444 1000:1000 .slipway",
        "644 0:0 data",
        "755 1000:1000 ",
    ]
    place.run("touch", "/volume/new", user="1000", volume=f"{place.name}-data", privileged=False)


def test_an_owned_volume_does_not_take_the_owner_of_the_folder_that_it_is_mounted_over(place: Place) -> None:
    volume = f"{place.name}-data"
    engine.client().volumes.create(volume)
    OwnedVolumeProvider().create(owned(place))
    of_root = "/usr/local"
    engine.client().containers.run(
        place.image, ["true"], volumes={volume: {"bind": of_root, "mode": "rw"}}, network_mode="none", remove=True
    )
    place.run("touch", "/volume/new", user="1000", volume=volume, privileged=False)


def test_a_change_of_user_takes_all_files_along_but_not_from_under_who_writes_to_them(place: Place) -> None:
    volume, provider = f"{place.name}-data", OwnedVolumeProvider()
    engine.client().volumes.create(volume)
    provider.create(owned(place))
    place.run("sh", "-c", "cd /volume; mkdir -p a/b; touch a/b/one; ln -s /etc/passwd link", user="1000", volume=volume)
    place.run("sh", "-c", "touch /volume/others; chown 33 /volume/others", volume=volume)
    before = listing(place, volume)
    writer = engine.client().containers.run(
        place.image, ["sleep", "300"], name=f"{place.name}-writer", user="1000", detach=True, network_mode="none",
        volumes={volume: {"bind": "/data", "mode": "rw"}},
    )  # fmt: skip
    later = owned(place) | {"uid": 1001, "gid": 1001}
    with pytest.raises(Failure, match=rf"to user 1000, as whom {writer.name} writes(?s:.*)docker stop {writer.name}"):
        provider.update("", owned(place), later)
    assert listing(place, volume) == before

    writer.kill()
    provider.update("", owned(place), later)
    owners = {path: who for _, who, path in (line.split(" ", 2) for line in listing(place, volume).splitlines())}
    assert owners == {
        "": "1001:1001", ".slipway": "1001:1001", "a": "1001:1001", "a/b": "1001:1001", "a/b/one": "1001:1001",
        "link": "1001:1001", "others": "33:0",
    }  # fmt: skip
    assert place.run("stat", "-Lc", "%u", "/etc/passwd").strip() == "0"


def test_a_missing_data_volume_is_not_made_by_mistake(place: Place) -> None:
    with pytest.raises(Failure, match="there is no volume"):
        OwnedVolumeProvider().create(owned(place))
    with pytest.raises(NotFound):
        engine.client().volumes.get(f"{place.name}-data")


def test_letting_go_of_a_data_volume_keeps_it(place: Place) -> None:
    engine.client().volumes.create(f"{place.name}-data")
    provider, props = OwnedVolumeProvider(), owned(place)
    provider.create(props)
    provider.delete("", props)
    assert provider.read(props["volume"], props).id == props["volume"]
