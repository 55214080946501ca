"""Which ENTRYPOINTs run the command that they are given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from slipway.core.entrypoint import passes_on

FILES = {
    "docker/entry.sh": '#!/bin/sh\nwait-for db\nexec "$@"\n',
    "boot.sh": "#!/bin/sh\nwhile true; do flask db upgrade && break; done\nexec gunicorn -b :5000 shop:app\n",
    "server.sh": '#!/bin/sh\ncase "$1" in worker) exec celery;; *) exec "${@:-gunicorn}";; esac\n',
    "render.py": "import os, sys\nos.execvp(sys.argv[1], sys.argv[1:])\n",
    "main.py": "app.run()\n",
    "node_modules/x/boot.sh": 'exec "$@"\n',
}


@pytest.mark.parametrize(
    ("entrypoint", "runs"),
    [
        (["/home/app/web/docker/entry.sh"], True),
        (["./boot.sh"], False),
        (["bash", "/server.sh"], True),
        (["python", "render.py"], True),
        (["python", "main.py"], False),
        (["python3.12"], False),
        (["/opt/venv/bin/gunicorn", "shop:app"], False),
        (["tini", "--"], True),
        (["/usr/bin/tini", "--", "docker/entry.sh"], True),
        (["tini", "--", "gunicorn", "shop:app"], False),
        (["poetry", "run"], True),
        (["docker-entrypoint.sh"], True),
        (["/bin/sh", "-c", "gunicorn shop:app"], False),
        (["/bin/sh", "-c", 'render && exec "$@"', "--"], True),
        (["/bin/sh", "-c"], False),
    ],
)
def test_a_script_is_judged_by_what_it_does_and_a_program_by_its_name(
    tmp_path: Path, entrypoint: Sequence[str], runs: bool
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert passes_on(entrypoint, tmp_path) is runs


def test_a_ready_made_image_has_no_folder_to_look_into() -> None:
    assert passes_on(["docker-entrypoint.sh"], None)
    assert not passes_on(["python", "main.py"], None)
