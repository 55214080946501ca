"""Puts the offline kit where the pulumi CLI looks for its parts.

    python3 -m slipway_offline.layout --tools DIR --home PULUMI_HOME --python VENV_PYTHON
        [--cli BUILT_PULUMI] [--plugin docker=5.2.0] [--plugin random=4.21.4]

Beside `pulumi` in DIR go its language host and its dynamic-provider host: the CLI takes what is bundled with it without
a word, and warns on every run about what it finds on PATH. Resource plugins go to PULUMI_HOME/plugins, each under the
version that programs ask for. Needs the standard library only; may be repeated, and writes only what differs.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLUGINS = {"docker": "docker_provider", "random": "random_provider"}

LAUNCHER = """\
#!/bin/sh
exec {python} -I {launch} {module} "$@"
"""

# Its code is pickled against the project's packages, so it runs under the project's Python. As with the genuine one,
# the virtual environment comes as Pulumi.yaml names it, and a relative one is looked for where the program runs.
DYNAMIC_PROVIDERS = """\
#!/bin/sh
virtualenv=${{PULUMI_RUNTIME_VIRTUALENV:-}}
python=${{virtualenv:+$virtualenv/bin/python}}
python=${{python:-${{PULUMI_PYTHON_CMD:-python3}}}}
if [ -n "$virtualenv" ]; then
    if [ ! -x "$python" ]; then
        echo "$virtualenv is not a virtual environment (seen from $PWD)" >&2
        exit 1
    fi
    PATH=$(cd "$virtualenv/bin" && pwd):$PATH
    unset PYTHONHOME
fi
exec "$python" -u -m pulumi.dynamic "$@"
"""


def place(target: Path, make: Callable[[Path], object]) -> None:
    """Has `make` write a temporary file beside `target` and moves it there in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".layout-") as folder:
        made = Path(folder, target.name)
        make(made)
        made.chmod(0o755)
        made.replace(target)


def script(target: Path, text: str) -> None:
    if not (target.is_file() and target.read_text() == text and os.access(target, os.X_OK)):
        place(target, lambda path: path.write_text(text))


def binary(target: Path, source: Path) -> None:
    """A hard link, or a copy on another file system. A symbolic link would not do: the CLI follows it before it looks
    for what is beside it."""
    def link_or_copy(path: Path) -> None:
        try:
            path.hardlink_to(source)
        except OSError:
            shutil.copy2(source, path)

    def same() -> bool:
        there, wanted = target.stat(), source.stat()
        return target.samefile(source) or (there.st_size, there.st_mtime_ns) == (wanted.st_size, wanted.st_mtime_ns)

    if not (target.exists() and not target.is_symlink() and same()):
        place(target, link_or_copy)


def lay_out(tools: Path, home: Path, python: Path, cli: Path | None, plugins: dict[str, str]) -> None:
    """Raises OSError when something cannot be written, KeyError for a plugin that the kit does not have."""
    def launcher(module: str) -> str:
        quoted = [shlex.quote(str(path)) for path in (python, HERE / "launch.py")]
        return LAUNCHER.format(python=quoted[0], launch=quoted[1], module=module)

    if cli:
        script(tools / "pulumi-language-python", launcher("language_host"))
        script(tools / "pulumi-resource-pulumi-python",
               DYNAMIC_PROVIDERS.format())
        binary(tools / "pulumi", cli)
    for name, version in plugins.items():
        script(home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}", launcher(PLUGINS[name]))


def main() -> None:
    parser = argparse.ArgumentParser(prog="slipway_offline.layout", description="Lays out the offline kit.")
    parser.add_argument("--tools", type=Path, required=True, help="where `pulumi` and its hosts go")
    parser.add_argument("--home", type=Path, required=True, help="the PULUMI_HOME of those who will use it")
    parser.add_argument("--python", type=Path, required=True, help="the Python that has the pulumi and docker packages")
    parser.add_argument("--cli", type=Path, help="the pulumi CLI to put into the tools; without it no hosts either")
    parser.add_argument("--plugin", action="append", default=[], metavar="NAME=VERSION",
                        help=f"one of {', '.join(PLUGINS)}, with the version that programs ask for")
    given = parser.parse_args()
    plugins = dict(item.partition("=")[::2] for item in given.plugin)
    if wrong := [name for name, version in plugins.items() if name not in PLUGINS or not version]:
        parser.error(f"--plugin {wrong[0]}: wanted NAME=VERSION with one of {', '.join(PLUGINS)}")
    lay_out(given.tools.absolute(), given.home.absolute(), given.python.absolute(), given.cli, plugins)


if __name__ == "__main__":
    main()
