"""Files that must be there before somebody else writes the real ones: nginx does not start without its certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import pulumi
from pulumi.dynamic import Resource

from slipway.engine.containers import Properties, connect
from slipway.engine.filling import FOLDER, PARENT, STAGED, helper, pack, run
from slipway.providers.volumes import ExistingVolumeProvider

FOLDERS = 0o700
FILES = 0o400
KEEP = f"""
cd {PARENT}/{FOLDER}
for path; do
    staged=$(dirname "$path")/{STAGED}$(basename "$path")
    if [ -e "$path" ]; then rm -f "$staged"; else mv "$staged" "$path"; fi
done
"""
"""Puts each staged file in its place, unless there is one."""


class PlaceholdersProvider(ExistingVolumeProvider):
    """Adds what is missing to an existing volume, which belongs to the user then; removes and changes nothing."""

    work: ClassVar = ("engine", "paths", "folders", "uid")

    def fill(self, props: Properties) -> None:
        uid = int(props["uid"])
        paths: list[str] = props["paths"]
        files = dict.fromkeys(paths, str(props["content"]))
        # A folder exists by something in it; the hidden file is what keeps it.
        files |= {f"{folder}/.keep": "" for folder in props["folders"]}
        archive = pack(files, uid=uid, gid=uid, mode=FILES, folder_mode=FOLDERS, staged=STAGED)
        with connect(props["engine"]) as client, helper(client, props, ["sh", "-ec", KEEP, "sh", *files]) as container:
            container.put_archive(PARENT, archive)
            run(container)


class Placeholders(Resource, module="slipway", name="Placeholders"):
    """`paths` in `volume` (made by somebody else) hold `content` (secret) where nothing was; `folders` exist.

    Everything belongs to `uid` alone. Another `content` changes nothing that is there.
    """

    volume: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        engine: pulumi.Input[str],
        volume: pulumi.Input[str],
        paths: Sequence[str],
        folders: Sequence[str],
        content: pulumi.Input[str],
        uid: int,
        image: pulumi.Input[str],
        labels: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "engine": engine,
            "volume": volume,
            "paths": list(paths),
            "folders": list(folders),
            "content": pulumi.Output.secret(content),
            "uid": uid,
            "image": image,
            "labels": dict(labels),
        }
        secret = pulumi.ResourceOptions(additional_secret_outputs=["content"])
        super().__init__(PlaceholdersProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))
