"""A helper container through which files get into a volume.

It need not run: what the engine unpacks into a container lands in the volumes it mounts, with owner and mode, and no
process sees a secret. Only to replace files that others may be reading it runs for a moment.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath

from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import Mount

from slipway.engine.containers import UNPRIVILEGED, Properties, have_image, helper_labels, remove
from slipway.engine.errors import Failure
from slipway.engine.progress import wait

PARENT = "/slipway"
FOLDER = "volume"
"""The volume is mounted at PARENT/FOLDER: unpacked into PARENT, an archive can set the owner of the volume's root."""
STAGED = ".staged-"
PLACE = f"""
cd {PARENT}/{FOLDER}
for path; do
    staged=$(dirname "$path")/{STAGED}$(basename "$path")
    if [ -e "$staged" ]; then mv -f "$staged" "$path"; else rm -f "$path"; fi
done
"""
"""Moves each named file from its staged copy, which readers see as one step; removes those that have no copy."""


@contextmanager
def helper(client: DockerClient, props: Properties, command: list[str]) -> Iterator[Container]:
    """A container that is not running, with the volume in it; removed afterwards. One that a killed run left is
    removed first: its name is the volume's, and the folder's in it where several resources share a volume."""
    folder = str(props.get("folder", "")).replace("/", ".")
    name = ".".join(part for part in (props["volume"], folder, "files") if part)
    remove(client, name)
    have_image(client, props["image"])
    mount = Mount(f"{PARENT}/{FOLDER}", props["volume"], type="volume", no_copy=True)
    container = client.containers.create(
        props["image"],
        command,
        name=name,
        entrypoint=[],
        user="0",
        mounts=[mount],
        network_mode="none",
        init=False,
        cap_add=["CHOWN", "DAC_OVERRIDE"],
        labels=helper_labels(props["labels"], "files"),
        **UNPRIVILEGED,
    )
    try:
        yield container
    finally:
        remove(client, name)


def run(container: Container) -> None:
    """Lets the helper's command put the staged files in their places."""
    container.start()

    def ended() -> bool:
        container.reload()
        return str(container.status) == "exited"

    wait(ended, 60, lambda: f"{container.name} does not end")
    if code := container.attrs["State"]["ExitCode"]:
        raise Failure(f"{container.name}: exit code {code}: {container.logs().decode(errors='replace').strip()}")


def read(container: Container, file: str) -> str:
    """A small file of the volume; "" where there is none."""
    try:
        chunks, _ = container.get_archive(f"{PARENT}/{FOLDER}/{file}")
    except NotFound:
        return ""
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        content = archive.extractfile(file)
        return content.read().decode() if content else ""


def owner(container: Container, file: str) -> int | None:
    """The user id of the owner of a small file of the volume; None where there is none."""
    try:
        chunks, _ = container.get_archive(f"{PARENT}/{FOLDER}/{file}")
    except NotFound:
        return None
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        return archive.getmember(file).uid


def pack(
    files: Mapping[str, str],
    *,
    uid: int,
    gid: int,
    mode: int,
    folder_mode: int | None = None,
    staged: str = "",
) -> bytes:
    """A tar archive of the volume's root, its folders and the files. Folders are open to whom the files are open to.

    With `staged`, every file's name gets that prefix. Raises Failure for a path that leaves the volume.
    """
    folders = folder_mode if folder_mode is not None else mode | (mode & 0o444) >> 2
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in entries(files):
            path = PurePosixPath(FOLDER, name)
            entry = tarfile.TarInfo(str(path if content is None else path.with_name(staged + path.name)))
            entry.uid, entry.gid = uid, gid
            if content is None:
                entry.type, entry.mode = tarfile.DIRTYPE, folders
                archive.addfile(entry)
            else:
                entry.mode, entry.size = mode, len(content)
                archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def entries(files: Mapping[str, str]) -> Sequence[tuple[str, bytes | None]]:
    """(path, content) of everything, None for a folder; each folder comes before what is in it."""
    folders: set[str] = {"."}
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or str(path) != name or name == ".":
            raise Failure(f"{name!r} is not a path inside the volume")
        folders.update(str(parent) for parent in path.parents)
    return [*((folder, None) for folder in sorted(folders)), *((n, files[n].encode()) for n in sorted(files))]
