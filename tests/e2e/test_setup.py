"""Set-up as a newcomer meets it: a fresh copy of the project, an empty home, the real commands."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from slipway.setup import paths, plugins
from slipway.setup.choices import Choices
from slipway.setup.console import Console
from slipway.setup.settings import Settings
from tests.support import newcomer
from tests.support.waiting import wait_until

NOTHING_TO_DO_SECONDS = 5


class Checkout:
    """A copy of the project's own files with an empty home; only the cache of what was built once is the user's."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home = folder / "a checkout", folder / "home"
        self.home.mkdir()
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=paths.PROJECT,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in listed.stdout.rstrip("\0").split("\0"):
            source, target = paths.PROJECT / name, self.root / name
            if source.is_file():  # a deleted file is listed until its deletion is committed
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        self.environment = newcomer.environment(self.home)

    def make(self, *targets: str) -> subprocess.Popen[str]:
        # A shell starts what it runs in the background deaf to SIGINT, and that is inherited, also by these tests.
        return subprocess.Popen(
            ["env", "--default-signal=INT", "make", *targets],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def made(self, *targets: str) -> str:
        """What `make` printed; fails the test when it did not succeed."""
        with self.make(*targets) as process:
            output = process.communicate(timeout=900)[0]
        assert process.returncode == 0, output
        return output


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("setup"))


def test_set_up_that_was_interrupted_half_way_goes_on_when_it_is_run_again_twice_at_once(checkout: Checkout) -> None:
    with checkout.make("setup") as process:
        wait_until(
            "the packages are being installed",
            lambda: (
                next((checkout.root / ".venv").glob("lib/python*/site-packages/pip"), None)
                or process.poll() is not None
            ),
            300,
        )
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode != 0
    assert not (checkout.root / ".slipway" / "choices.json").exists()
    with checkout.make("setup") as one, checkout.make("setup") as two:
        outputs = one.communicate(timeout=600)[0], two.communicate(timeout=600)[0]
    assert (one.returncode, two.returncode) == (0, 0), outputs
    assert all("Pulumi CLI" in output for output in outputs)
    assert any("another set-up is running" in output for output in outputs)


def test_set_up_with_nothing_to_do_takes_less_than_five_seconds(checkout: Checkout) -> None:
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        checkout.made("setup")
        seconds.append(time.monotonic() - start)
    assert min(seconds) < NOTHING_TO_DO_SECONDS, seconds


def test_doctor_says_what_was_chosen_and_notices_what_is_missing(checkout: Checkout) -> None:
    assert "nothing is missing" in checkout.made("doctor")
    stamp = checkout.root / ".venv" / "slipway-lock"
    kept = stamp.read_text()
    stamp.unlink()
    with checkout.make("doctor") as process:
        output = process.communicate(timeout=60)[0]
    stamp.write_text(kept)
    assert process.returncode != 0
    assert "MISSING: the virtual environment .venv" in output


def test_the_environment_file_makes_plain_pulumi_work_without_a_login_or_a_warning(checkout: Checkout) -> None:
    shown = subprocess.run(
        ["sh", "-c", ". .slipway/environment && slipway --help >/dev/null && pulumi stack ls && pulumi plugin ls"],
        cwd=checkout.root,
        env=checkout.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "warning" not in shown.stderr
    for name, version in Settings.load().plugins.items():
        assert f"{name}  resource  {version}".split() in [line.split()[:3] for line in shown.stdout.splitlines()]


def test_set_up_changes_no_file_of_the_checkout(checkout: Checkout) -> None:
    ignored = {".slipway", ".venv"}
    made = {path.name for path in checkout.root.iterdir()} - ignored
    assert made <= {path.name for path in paths.PROJECT.iterdir()}
    for file in checkout.root.glob("Pulumi*.yaml"):
        assert file.read_bytes() == (paths.PROJECT / file.name).read_bytes(), file.name


def test_official_plugins_are_downloaded_by_the_real_cli_when_their_site_answers(
    web: tuple[str, Path], tmp_path: Path
) -> None:
    """The site is a local one that serves archives of the official layout under the official names."""
    url, folder = web
    (folder / "index.html").write_text("the installer")
    for name, version in Settings.load().plugins.items():
        program = tmp_path / f"pulumi-resource-{name}"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        archive = folder / "releases" / "plugins" / f"pulumi-resource-{name}-v{version}-linux-amd64.tar.gz"
        archive.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(program, program.name)
    environment = {**os.environ, "SLIPWAY_PULUMI_SITE": url, "PULUMI_HOME": str(tmp_path / "home")}
    choice = plugins.settle(Choices(), Console(), environment, Settings.load(), Choices())
    assert choice.chosen.endswith("genuine")
    assert all(plugins.installed(tmp_path / "home", name, v) for name, v in Settings.load().plugins.items())
