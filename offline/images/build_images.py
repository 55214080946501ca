#!/usr/bin/env python3
"""Builds the base images from Debian packages, for machines that reach a package mirror but no image registry.

    python3 offline/images/build_images.py [python postgres nginx adminer postgres18 …]

Owns the images named in `IMAGES` and one `slipway.invalid/debian:<suite>` below them; touches no other. What can
change an image (its folder, its suite, this host's mirror, certificates and pip settings) is hashed into its label
`slipway.base-image.inputs`: an image that carries the present hash is left alone, so a second run takes no time.
`--rebuild` builds anyway, for newer packages. Needs docker and, for what is missing, mmdebstrap.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import host_settings

OWN = "slipway.invalid"
"""The registry in the names, which nobody can ever have (RFC 2606): with the containerd image store a build asks the
registry for the image it starts from before it looks at the engine's own (buildkit's util/resolver/pool.go), and must
not be given somebody else's."""
FORMER = "slipway"
"""What the names began with before. An image that has such a name gets the new one too: nothing is built again."""
LABEL = "slipway.base-image.inputs"
HERE = Path(__file__).resolve().parent
APT_CONF = HERE / "debian" / "90slipway.conf"


@dataclass(frozen=True)
class BaseImage:
    """One image: the folder of its Dockerfile, the Debian suite it starts from, its build arguments."""

    tag: str
    folder: str
    suite: str
    arguments: dict[str, str] = field(default_factory=dict)


# Suites by code name: "testing" would be another Debian after the next release. Major versions are the suite's own.
IMAGES = {
    "python": BaseImage(f"{OWN}/python:3.13", "python", "trixie"),
    "postgres": BaseImage(f"{OWN}/postgres:17", "postgres", "trixie", {
        "MAJOR": "17", "DATA": "/var/lib/postgresql/data", "KEPT": "/var/lib/postgresql/data"}),
    "nginx": BaseImage(f"{OWN}/nginx:1.30", "nginx", "forky"),
    "adminer": BaseImage(f"{OWN}/adminer:6", "adminer", "forky"),
    "postgres18": BaseImage(f"{OWN}/postgres:18", "postgres", "forky", {
        "MAJOR": "18", "DATA": "/var/lib/postgresql/18/docker", "KEPT": "/var/lib/postgresql"}),
    "go": BaseImage(f"{OWN}/go:forky", "go", "forky"),
    "engine": BaseImage(f"{OWN}/engine:28", "engine", "forky"),
}
USUAL = ("python", "postgres", "nginx", "adminer")

# What no container reads; copyright files stay.
UNWANTED = ("path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright", "path-exclude=/usr/share/man/*",
            "path-exclude=/usr/share/info/*", "path-exclude=/usr/share/locale/*")
# The lines of a long command that tell how far it is: steps of either builder, of apt and of mmdebstrap.
TELLING = re.compile(r"Step \d|#\d+ \[|(#\d+ [\d.]+ )?(I: |Get:|Setting up )")


class StepError(Exception):
    """A step went wrong; the message says which, why, and what to type where there is something to type."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def stream(what: str, command: list[str], environment: dict[str, str], data: bytes | None = None) -> None:
    """Runs a long command and shows the lines that tell how far it is; all of its last lines when it fails."""
    with tempfile.TemporaryFile() as fed:
        fed.write(data or b"")
        fed.seek(0)
        with subprocess.Popen(command, stdin=fed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", env=os.environ | environment) as process:
            lines = []
            try:
                for line in process.stdout or ():
                    lines.append(line.rstrip())
                    if TELLING.match(line):
                        say(f"  {what}: {lines[-1][:150]}")
            except BaseException:
                process.terminate()  # mmdebstrap then removes its half-made root
                raise
    if process.returncode:
        raise StepError("\n".join([*lines[-30:], f"{what}: {command[0]} ended with exit code {process.returncode}"]))


def inputs_of_debian(suite: str) -> str:
    wanted = [suite, *host_settings.apt_sources(suite), *UNWANTED, APT_CONF.read_text(),
              *host_settings.extra_certificates()]
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


def context_of(image: BaseImage) -> bytes:
    """The image's folder as a build context, the same bytes for the same content, plus this host's pip settings."""
    folder, packed = HERE / image.folder, io.BytesIO()
    files = {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode & 0o111)
             for path in folder.rglob("*") if path.is_file()}
    if image.folder == "python":
        files["pip.conf"] = (host_settings.pip_settings().encode(), 0)
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, (content, executable) in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if executable else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def inputs_of(image: BaseImage) -> str:
    parts = [inputs_of_debian(image.suite), json.dumps(image.arguments, sort_keys=True)]
    return hashlib.sha256(context_of(image) + "\n".join(parts).encode()).hexdigest()


def present(tag: str) -> tuple[str, str, int] | None:
    """The (id, hash of its inputs, size in bytes) of an image on this engine."""
    form = '{"id":"{{.Id}}","inputs":"{{index .Config.Labels "' + LABEL + '"}}","size":{{.Size}}}'
    done = subprocess.run(["docker", "image", "inspect", "--format", form, tag], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        if "No such image" in done.stderr:
            return None
        raise StepError(f"the docker engine does not answer: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    return found["id"], found["inputs"], found["size"]


def make_debian(suite: str) -> None:
    """Makes the image debian:<suite>: a minimal Debian with this host's mirror and the certificates it trusts."""
    tag = f"{OWN}/debian:{suite}"
    say(f"{tag}: a minimal Debian, with mmdebstrap (about 15 s)")
    host_settings.need_mmdebstrap(say)
    with tempfile.TemporaryDirectory(prefix="slipway-debian-") as scratch:
        rootfs, certificates = Path(scratch, "rootfs.tar"), Path(scratch, "certificates")
        certificates.mkdir()
        for number, certificate in enumerate(host_settings.extra_certificates()):
            (certificates / f"host-{number}.crt").write_text(certificate)
        command = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates",
                   '--aptopt=Acquire::Check-Valid-Until "false"', *(f"--dpkgopt={option}" for option in UNWANTED),
                   f"--customize-hook=copy-in {APT_CONF} /etc/apt/apt.conf.d",
                   f"--customize-hook=sync-in {certificates} /usr/local/share/ca-certificates",
                   '--customize-hook=chroot "$1" update-ca-certificates; rm -f "$1"/var/cache/apt/*.bin',
                   suite, str(rootfs), *host_settings.reachable_sources(suite)]
        stream(tag, command, host_settings.proxies())
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        stream(tag, ["docker", "import", "--change", f"ENV PATH={path}", "--change", 'CMD ["bash"]', "--change",
                     f"LABEL {LABEL}={inputs_of_debian(suite)}", str(rootfs), tag], {})


def make(image: BaseImage) -> None:
    """Builds one image on its Debian, which is made first where missing or made from other inputs."""
    base = f"{OWN}/debian:{image.suite}"
    found = present(base)
    if found is None or found[1] != inputs_of_debian(image.suite):
        make_debian(image.suite)
    say(f"{image.tag}: from Debian packages")
    before = present(image.tag)
    arguments = {"BASE": base, **image.arguments, **host_settings.proxies()}
    context = subprocess.run(["docker", "context", "show"], capture_output=True, text=True, check=False)
    stream(image.tag, ["docker", "build", "--force-rm", "--tag", image.tag, "--label", f"{LABEL}={inputs_of(image)}",
                       *(f"--build-arg={key}={value}" for key, value in arguments.items()), "-"],
           # buildx: the engine's own builder, the only one that sees local images; its plain progress.
           {"BUILDX_BUILDER": context.stdout.strip() or "default", "BUILDKIT_PROGRESS": "plain"}, context_of(image))
    if before:  # its name is gone; without `--force` it stays as long as a container or an image needs it
        subprocess.run(["docker", "image", "rm", before[0]], capture_output=True, check=False)


def current(image: BaseImage, found: tuple[str, str, int] | None) -> bool:
    """Whether the image that was found is made of what its sources and this host say now."""
    return found is not None and found[1] == inputs_of(image)


def build(names: Sequence[str], *, rebuild: bool) -> None:
    """Builds what is missing, or all of it, and prints a line with the size of each."""
    if rebuild:
        for suite in sorted({IMAGES[name].suite for name in names}):
            make_debian(suite)
    if "python" in names:
        for warning in host_settings.warnings():
            say(f"warning: {warning}")
    for image in (IMAGES[name] for name in names):
        start, took, found = time.monotonic(), "up to date", present(image.tag)
        former = FORMER + image.tag.removeprefix(OWN)
        if found is None and current(image, present(former)):
            subprocess.run(["docker", "tag", former, image.tag], check=True)
            found = present(image.tag)
        if rebuild or not current(image, found):
            make(image)
            found, took = present(image.tag), f"built in {time.monotonic() - start:.0f} s"
        print(f"{image.tag:30}{(found[2] if found else 0) / 1e6:6.0f} MB  {took}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=USUAL, help=f"of {', '.join(IMAGES)}")
    parser.add_argument("--rebuild", action="store_true", help="build even what is up to date, for newer packages")
    parser.add_argument("--status", action="store_true", help="build nothing, say which images are current")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    unknown = [name for name in asked.names if name not in IMAGES]
    if unknown:
        parser.error(f"no such image: {', '.join(unknown)} (there are {', '.join(IMAGES)})")
    try:
        if asked.status:
            for name, image in ((name, IMAGES[name]) for name in asked.names):
                print(name, image.tag, "current" if current(image, present(image.tag)) else "outdated")
        else:
            build(asked.names, rebuild=asked.rebuild)
    except (StepError, host_settings.HostError) as problem:
        say(f"error: {problem}")
        return 1
    except KeyboardInterrupt:
        say("interrupted: what is built stays, the next run goes on from there")
        return 130
    return 0


if __name__ == "__main__":
    if not shutil.which("docker"):
        sys.exit("error: no `docker` command on PATH")
    sys.exit(main())
