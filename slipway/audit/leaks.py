"""`python -m slipway.audit.leaks [--stack prod]`: looks for every secret of a running stack where none may be.

That is: what the engine tells of the stack's containers, networks, volumes and images (those of earlier releases, too),
the images' history and layers, what the builder keeps, process lists, logs, what Pulumi says in a preview, and its
state. Prints where one was found, by its name and form and never its value, and ends with 1. `make audit` looks at the
same places.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, BinaryIO

from docker.models.images import Image

from slipway.audit.canary import SHORTEST, Canaries, Hit
from slipway.cli import screen
from slipway.cli.errors import CliError
from slipway.cli.pulumi import State, revealed
from slipway.cli.target import Target
from slipway.core.resource_types import FILES_VOLUME, LOCAL_CERTIFICATE, PASSWORD

CHUNK = 1 << 20
KEY = "PRIVATE KEY-----"
DELIVERED = ("env/", "superuser-password")
"""Files of a volume that hold nothing but a secret."""
COMMAND_LINES = ["sh", "-c", "cat /proc/[0-9]*/cmdline"]
"""Asked inside: for a list of its own the engine needs a `ps` on its host."""
GZIP = b"\x1f\x8b"


def secrets_of(state: State) -> dict[str, str]:
    """{name: value} of all that is generated or delivered as a secret; `state` with its secrets shown."""
    found: dict[str, str] = {}
    for each in state.of_type(PASSWORD):
        found[str(each["urn"]).rpartition("::")[2]] = revealed(each["outputs"]["result"])
    for each in state.of_type(FILES_VOLUME):
        for path, text in revealed(each["inputs"]["files"]).items():
            if path.startswith(DELIVERED):
                for value in listed(revealed(text)):
                    found[f"{each['inputs']['volume']}:{path}"] = value
            elif KEY in (content := str(revealed(text))):
                found[f"{each['inputs']['volume']}:{path}"] = line_of(content)
    for each in state.of_type(LOCAL_CERTIFICATE):
        name = str(each["urn"]).rpartition("::")[2]
        found[f"{name}:authority_key"] = line_of(revealed(each["outputs"]["authority_key"]))
    return {name: value for name, value in found.items() if len(value) >= SHORTEST}


def line_of(pem: str) -> str:
    """The first line of a private key: of the shortest that are in use (P-256) it has 12 of the 32 secret bytes."""
    return pem.partition(KEY)[2].splitlines()[1]


def listed(text: str) -> list[str]:
    """The texts in a list as JSON, or the text itself."""
    try:
        found = json.loads(text)
    except ValueError:
        return [text]
    return [str(each) for each in found] if isinstance(found, list) else [text]


def places(target: Target) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Every place to look at, and what is there."""
    objects = target.objects
    api: Any = objects.client.api
    images: dict[str, Image] = {}
    for container in objects.containers():
        name = str(container.name)
        images[str(container.attrs["Image"])] = objects.client.images.get(container.attrs["Image"])
        yield f"inspect {name}", as_json(container.attrs)
        for identity in container.attrs.get("ExecIDs") or ():
            yield f"inspect a command in {name}", as_json(api.exec_inspect(identity))
        if container.status == "running":
            processes: Any = container.exec_run(COMMAND_LINES)
            yield f"processes of {name}", iter([processes.output])
        yield f"log of {name}", container.logs(stream=True, follow=False)
    things: list[Any] = [*objects.networks(), *objects.volumes()]
    for thing in things:
        yield f"inspect {thing.name}", as_json(thing.attrs)
    for tag in objects.tags():
        image = objects.client.images.get(tag)
        images.setdefault(str(image.id), image)
    base = base_layers(target)
    for identity, image in images.items():
        name = image.tags[0] if image.tags else identity[:19]
        yield f"inspect image {name}", as_json(image.attrs)
        yield f"history of image {name}", as_json(image.history())
        yield f"layers of image {name}", layers(image, set(base))
        base |= set(layers_of(image))
    yield "the builder's cache", as_json(api.df()["BuildCache"])
    yield "pulumi preview", said(lambda: target.pulumi.captured("preview", "--diff").stdout)
    yield "pulumi stack output", said(lambda: target.pulumi.read("stack", "output", "--stack", target.project.stack))
    yield from state_files(target)


def said(command: Callable[[], str]) -> Iterator[bytes]:
    """What a command writes; it is run when that is asked for."""
    yield command().encode()


def as_json(value: Any) -> Iterator[bytes]:
    yield json.dumps(value).encode()


def base_layers(target: Target) -> set[str]:
    """The layers that were there before any secret was: those of the images that builds start from."""
    names = asdict(target.project.site.base_images)
    there = [name for name in names.values() if target.objects.has_image(name)]
    return {layer for name in there for layer in layers_of(target.objects.client.images.get(name))}


def layers_of(image: Image) -> list[str]:
    """The ids of an image's layers, the lowest first."""
    found: list[str] = image.attrs["RootFS"].get("Layers") or []
    return found


def layers(image: Image, without: set[str]) -> Iterator[bytes]:
    """The layers of an image, as tar files are, some left out."""
    with tempfile.TemporaryFile() as file:
        for chunk in image.save(chunk_size=CHUNK):
            file.write(chunk)
        file.seek(0)
        yield from layers_in(file, layers_of(image), without)


def layers_in(file: BinaryIO, ids: list[str], without: set[str]) -> Iterator[bytes]:
    """The same of a saved image; `ids` are its layers' in order."""
    with tarfile.open(fileobj=file) as archive:
        manifest = archive.extractfile("manifest.json")
        assert manifest, "every saved image has one"
        [described] = json.load(manifest)
        for identity, member in zip(ids, described["Layers"], strict=True):
            if identity in without:
                continue
            layer = archive.extractfile(member)
            assert layer, f"{member} is a file"
            packed = layer.read(2) == GZIP
            layer.seek(0)
            yield from chunks(gzip.GzipFile(fileobj=layer) if packed else layer)


def chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def state_files(target: Target) -> Iterator[tuple[str, Iterator[bytes]]]:
    """All that Pulumi keeps of the stack, as it keeps it; where it keeps no files, what it hands out."""
    pulumi, project = target.pulumi, target.project
    if pulumi.folder is None:
        yield "pulumi stack export", said(lambda: pulumi.read("stack", "export", "--stack", project.stack))
        return
    for kind in ("stacks", "backups", "history"):
        for file in sorted((pulumi.folder / ".pulumi" / kind / project.name).rglob(f"{project.stack}*")):
            for each in sorted(file.rglob("*")) if file.is_dir() else [file]:
                if each.is_file():
                    yield f"state: {each.relative_to(pulumi.folder)}", iter([unpacked(each)])


def unpacked(file: Path) -> bytes:
    """A file's content; backends may compress what they keep."""
    content = file.read_bytes()
    return gzip.decompress(content) if content.startswith(GZIP) else content


def looked_at(target: Target, wanted: Callable[[str], bool] = lambda _: True) -> Iterator[tuple[str, tuple[Hit, ...]]]:
    """Every place that is wanted, and the secrets that are there though they must not be. Raises CliError where there
    is no such stack."""
    canaries = Canaries(secrets_of(target.state(secrets=True)))
    for place, content in places(target):
        if wanted(place):
            yield place, tuple(sorted(canaries.in_chunks(content)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="slipway.audit.leaks", description="Looks for secrets where none may be.")
    parser.add_argument("--stack", default="prod")
    parser.add_argument("--project", type=Path, default=None, help="the folder of Pulumi.yaml")
    given = parser.parse_args()
    try:
        found = list(looked_at(Target(given.stack, given.project, json=False)))
    except CliError as error:
        screen.failed(error, json_wanted=False)
        sys.exit(int(error.code))
    hits = [(place, hit.secret, hit.form) for place, there in found for hit in there]
    screen.table(("where", "secret", "form"), hits)
    print(f"{len(found)} places looked at, {len(hits)} secrets found")
    sys.exit(bool(hits))


if __name__ == "__main__":
    main()
