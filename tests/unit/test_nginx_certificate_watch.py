"""The script by which nginx follows renewed certificates, run with an nginx that only writes down what it is told."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slipway.nginx import certificate_watch
from slipway.nginx.tls import CERTIFICATES, FOLDER
from tests.support.waiting import wait_until

NGINX = """\
#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
*-t*) [ ! -e "$BROKEN" ] ;;
*daemon*) exec sleep 60 ;;
esac
"""
STAT = """\
#!/bin/sh
echo look >> "$LOOKS"
PATH=${PATH#*:}
exec stat "$@"
"""
CHECK, RELOAD = "-t -q -c /main.conf", "-s reload -c /main.conf"


class Box:
    """A folder that stands for nginx's container."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(certificate_watch, "PAUSE", 0.1)
        self.folder, self.calls, self.broken = folder, folder / "calls", folder / "broken"
        self.looks = folder / "looks"
        (folder / CERTIFICATES).mkdir()
        self.place("old")
        (folder / "bin").mkdir()
        for name, text in {"nginx": NGINX, "stat": STAT}.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        (folder / "follow").write_text(certificate_watch.script("/main.conf").replace(FOLDER, str(folder)))

    def place(self, text: str) -> None:
        """As certbot's container does it."""
        staged = self.folder / "staged"
        staged.write_text(text)
        staged.replace(self.folder / CERTIFICATES / "a.test.pem")

    def told(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def looked(self) -> int:
        """How many times it has looked at the certificates."""
        return len(self.looks.read_text().splitlines())

    @contextmanager
    def running(self) -> Iterator[None]:
        environment = {
            **os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "CALLS": str(self.calls),
            "BROKEN": str(self.broken), "LOOKS": str(self.looks),
        }  # fmt: skip
        command = ["sh", str(self.folder / "follow"), "nginx", "-g", "daemon off;"]
        with subprocess.Popen(command, env=environment, start_new_session=True) as process:
            try:
                wait_until("nginx is started", lambda: self.told() == ["-g daemon off;"], 10)
                yield
            finally:
                os.killpg(process.pid, 9)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    return Box(tmp_path, monkeypatch)


def test_a_new_certificate_is_checked_and_taken_by_one_reload(box: Box) -> None:
    with box.running():
        box.place("new")
        wait_until("it is taken", lambda: RELOAD in box.told(), 10)
        looked = box.looked()
        wait_until("it looks five more times", lambda: box.looked() >= looked + 5, 10)
        assert box.told()[1:] == [CHECK, RELOAD]


def test_what_nginx_would_not_take_is_left_until_there_is_another(box: Box) -> None:
    with box.running():
        box.broken.touch()
        box.place("broken")
        wait_until("it is checked", lambda: CHECK in box.told(), 10)
        assert RELOAD not in box.told()
        box.broken.unlink()
        box.place("mended")
        wait_until("the next one is taken", lambda: RELOAD in box.told(), 10)
