#!/usr/bin/env python3
"""Builds the Pulumi CLI from Go modules, where its releases cannot be downloaded.

    python3 offline/cli/build_cli.py            progress on stderr; the last line of stdout is the binary's path
    python3 offline/cli/build_cli.py --cached   only says where it is; exit code 1 if it is yet to be built

What is built stands in go.mod, and go.sum holds the checksum of every module. The binary goes to
`$XDG_CACHE_HOME/slipway/cli/<hash of what it is made from>/pulumi` (about 115 MB) and stays there until that folder is
removed. Some four minutes on two cores; needs 3 GB in `$XDG_CACHE_HOME/slipway/go` meanwhile, removed after success and
kept after a failure or an interruption, so that the next run goes on from there. Go: the one on PATH if it is new
enough, else Debian testing's, in a container.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
BUILD_IMAGES = HERE.parent / "images" / "build_images.py"
GO_IMAGE = "slipway.invalid/go:forky"
# What Go reads to find modules and to check them.
GO_SETTINGS = ("GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GONOSUMCHECK", "GOINSECURE", "GOVCS",
               "GOFLAGS")
PROXIES = tuple(name for lower in ("http_proxy", "https_proxy", "no_proxy") for name in (lower, lower.upper()))


class BuildError(Exception):
    """The CLI cannot be built; the message says why and what to do."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def release(go_mod: str) -> str:
    """The version of the CLI that go.mod asks for, such as v3.259.0."""
    found = re.search(r"^\s*github\.com/pulumi/pulumi/pkg/v3 (v\S+)", go_mod, re.MULTILINE)
    if not found:
        raise BuildError("offline/cli/go.mod names no version of github.com/pulumi/pulumi/pkg/v3")
    return found[1]


def wanted_go(go_mod: str) -> tuple[int, int]:
    found = re.search(r"^go (\d+)\.(\d+)", go_mod, re.MULTILINE)
    if not found:
        raise BuildError("offline/cli/go.mod names no version of Go")
    return int(found[1]), int(found[2])


def build_flags(version: str) -> list[str]:
    """-mod=readonly: go.mod and go.sum are not changed, so nothing but what they name gets in. -modcacherw: the modules
    can be removed again. Without debugging symbols, as the official release."""
    linker = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
    return ["-mod=readonly", "-modcacherw", "-trimpath", "-ldflags", linker]


def cache(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "slipway"


def binary(root: Path, flags: list[str], folder: Path = HERE) -> Path:
    """Where the CLI of these sources and flags belongs: other sources, another path."""
    parts = [(folder / "go.mod").read_bytes(), (folder / "go.sum").read_bytes(), "\n".join(flags).encode(),
             f"{platform.system()} {platform.machine()}".encode()]
    return root / "cli" / hashlib.sha256(b"\0".join(parts)).hexdigest()[:16] / "pulumi"


def go_settings(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Settings of this user's Go that a Go in a container needs as well: from its env file, then the environment."""
    file = Path(environment.get("GOENV") or environment.get("XDG_CONFIG_HOME") or home / ".config")
    if not environment.get("GOENV"):
        file = file / "go" / "env"
    found = {}
    with contextlib.suppress(OSError):
        pairs = (line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
        found = {name: value for name, value in pairs if name in GO_SETTINGS}
    return found | {name: environment[name] for name in (*GO_SETTINGS, *PROXIES) if environment.get(name)}


def local_go(wanted: tuple[int, int]) -> str | None:
    """The `go` on PATH if it is new enough by itself, without fetching another one."""
    if not shutil.which("go"):
        return None
    done = subprocess.run(["go", "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}, cwd="/",
                          capture_output=True, text=True, check=False)
    found = re.match(r"go(\d+)\.(\d+)", done.stdout)
    return "go" if found and (int(found[1]), int(found[2])) >= wanted else None


def run(what: str, command: list[str], **options: object) -> None:
    """Runs a long command with its output on stderr, and ends it when this program is ended."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, **options) as process:  # type: ignore[call-overload]
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
    if code:
        raise BuildError(f"{what} ended with exit code {code}; run it again: it goes on from where it was")


def build_here(go: str, arguments: list[str], target: Path, work: Path) -> None:
    paths = {"GOMODCACHE": str(work / "mod"), "GOCACHE": str(work / "build")}
    fixed = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
    run("go build", [go, "build", *arguments, "-o", str(target), PACKAGE], cwd=HERE,
        env={**os.environ, **fixed, **paths})


def build_in_container(arguments: list[str], target: Path, work: Path) -> None:
    """The same with Debian testing's Go. The result needs no library of the container's: CGO is off."""
    if not shutil.which("docker"):
        raise BuildError("building the Pulumi CLI needs Go 1.26 or newer, or Docker to run Debian's Go in a container; "
                         "there is neither")
    say(f"no Go that is new enough on PATH: taking Debian testing's, in a container of {GO_IMAGE}")
    run("building the image with Go", [sys.executable, str(BUILD_IMAGES), "go"])
    fixed = {"HOME": "/tmp", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOMODCACHE": "/cache/mod",  # noqa: S108
             "GOCACHE": "/cache/build"}
    own = go_settings(os.environ, Path.home())  # by name only: a password in GOPROXY stays out of the process list
    mounts = [f"{HERE}:/source:ro", f"{work}:/cache", f"{target.parent}:/target"]
    go = ["go", "build", *arguments, "-o", f"/target/{target.name}", PACKAGE]
    run("go build in a container", [
        "docker", "run", "--rm", "--init", "--user", f"{os.getuid()}:{os.getgid()}", "--workdir", "/source",
        *(f"--volume={mount}" for mount in mounts), *(f"--env={name}={value}" for name, value in fixed.items()),
        *(f"--env={name}" for name in own), GO_IMAGE, *go], env={**os.environ, **own})
    subprocess.run(["docker", "image", "rm", GO_IMAGE], capture_output=True, check=False)


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Waits until no other build of this user runs."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another build of the Pulumi CLI is running: waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def build(root: Path) -> Path:
    """Builds the CLI unless it is there, and returns its path. The path appears only with a binary that works."""
    go_mod = (HERE / "go.mod").read_text()
    version = release(go_mod)
    flags = build_flags(version)
    result = binary(root, flags)
    with only_one(root / "cli" / "lock"):
        if result.exists():
            return result
        say(f"building the Pulumi CLI {version} from Go modules (about 4 minutes on two cores)")
        result.parent.mkdir(exist_ok=True)
        work, unfinished = root / "go", result.with_name("pulumi.unfinished")
        work.mkdir(exist_ok=True)
        if go := local_go(wanted_go(go_mod)):
            build_here(go, ["-v", *flags], unfinished, work)
        else:
            build_in_container(["-v", *flags], unfinished, work)
        said = subprocess.run([unfinished, "version"], env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
                              capture_output=True, text=True, check=False)
        if said.stdout.strip() != version:
            raise BuildError(f"the CLI was built, but `pulumi version` says {(said.stdout + said.stderr).strip()!r}")
        unfinished.rename(result)
        shutil.rmtree(work, ignore_errors=True)
        say(f"built {result} ({result.stat().st_size / 1e6:.0f} MB); the modules and objects in {work} are removed")
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cached", action="store_true", help="build nothing; exit code 1 if it is yet to be built")
    root = cache(os.environ)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if parser.parse_args().cached:
            result = binary(root, build_flags(release((HERE / "go.mod").read_text())))
            if not result.exists():
                return 1
        else:
            result = build(root)
    except BuildError as problem:
        say(f"error: {problem}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next run goes on from here")
        return 130
    print(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
