"""How long `pulumi up --skip-preview` takes when there is nothing to do: `python -m bench.noop`.

Ten resources of the docker and random plugins are brought up in a project of their own and taken away afterwards. Runs
of `pulumi version` and of the `up` alternate, so that both see the same machine; their medians are printed, and the
exit status is 1 when the `up` takes longer than three times the bare CLI's start plus two seconds.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from slipway.cli.pulumi import environment
from slipway.setup import paths
from slipway.setup.choices import Choices
from tests.support.base_images import base_image
from tests.support.pulumi_project import PulumiProject

FACTOR, ALLOWANCE = 3, 2.0  # times the bare start, seconds

PROGRAM = """\
import pulumi
import pulumi_docker as docker
import pulumi_random as random

mine = pulumi.get_project()
passwords = [random.RandomPassword(f"{mine}-{number}", length=20) for number in range(3)]
networks = [docker.Network(f"{mine}-{number}") for number in range(2)]
volumes = [docker.Volume(f"{mine}-{number}") for number in range(2)]
for number in range(3):
    docker.Container(
        f"{mine}-{number}", image=pulumi.Config().require("image"), command=["sleep", "infinity"], init=True,
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=networks[number % 2].name)],
        volumes=[docker.ContainerVolumeArgs(volume_name=volumes[number % 2].name, container_path="/data")])
"""


def bare_start(project: PulumiProject) -> float:
    """Seconds that `pulumi version` takes."""
    start = time.monotonic()
    subprocess.run(["pulumi", "version"], env=project.environment, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def measure(runs: int, virtualenv: Path) -> tuple[float, float]:
    """Median seconds of a bare start and of an `up` with nothing to do."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        project = PulumiProject(Path(directory), PROGRAM, virtualenv=virtualenv, name=f"bench-{secrets.token_hex(3)}")
        project.init(image=base_image("python"))
        try:
            project.up()
            project.up("--expect-no-changes")
            pairs = [(bare_start(project), project.up("--expect-no-changes").seconds) for _ in range(runs)]
        finally:
            project.destroy()
    return statistics.median(bare for bare, _ in pairs), statistics.median(up for _, up in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.noop", description="Times an `up` with nothing to do.")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--virtualenv", type=Path, default=paths.VIRTUALENV, help="the one that the program runs in")
    given = parser.parse_args()
    os.environ.update(environment(Choices.load(), os.environ))

    bare, up = measure(given.runs, given.virtualenv)
    limit = FACTOR * bare + ALLOWANCE
    print(f"bare CLI start (`pulumi version`)        {bare:6.2f} s")
    print(f"no-op `up --skip-preview`, 10 resources  {up:6.2f} s, {up / bare:.1f} times that")
    verdict = "kept" if up <= limit else "MISSED"
    print(f"limit, {FACTOR} x bare start + {ALLOWANCE:.0f} s             {limit:6.2f} s: {verdict}")
    sys.exit(up > limit)


if __name__ == "__main__":
    main()
