"""Breaks the program on purpose, one rule at a time, and expects the test of that rule to notice.

    python -m tests.mocks.mutations [WORD …]      only those with a WORD in the test's name or the file

Each mutation is one replacement in a private copy of the project, in which one test is run: it must fail, in the test
itself and by its own assertion. Prints a table; exits with 1 when a test stayed green. Takes some minutes.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from tests.mocks import policy_breakages
from tests.mocks.breakages import MUTATIONS
from tests.mocks.breaking import Mutation

ALL = [*MUTATIONS, *policy_breakages.MUTATIONS]
ROOT = Path(__file__).resolve().parents[2]
COPIED = ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "pyproject.toml", "components",
          "policy", "slipway", "services", "docs", "tests/__init__.py", "tests/conftest.py", "tests/mocks")  # fmt: skip
OURS = ("tests", "slipway", "components", "policy")
PRELOADED = ["docker", "pulumi_docker", "pulumi_random", "pulumi.runtime.mocks", "pydantic", "pytest", "yaml"]
"""Imported once, before the processes fork: nothing of the project."""


class Witness:
    """A pytest plugin: what failed, where and by what."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        self.seen.append(f"{report.when}: {call.excinfo.typename if call.excinfo else ''}")


def outcome(mutation: Mutation) -> str:
    """`red` when the test noticed, else what happened instead. Runs in a process of its own."""
    import pytest  # noqa: PLC0415  only here: every process has it already

    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / ROOT.name
        for name in COPIED:
            source, target = ROOT / name, copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            else:
                shutil.copy(source, target)
        (copy / ".venv").symlink_to(ROOT / ".venv")
        mutated = copy / mutation.file
        text = mutated.read_text()
        if text.count(mutation.old) != 1:
            return f"the text occurs {text.count(mutation.old)} times"
        mutated.write_text(text.replace(mutation.old, mutation.new))
        for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
            del sys.modules[name]
        sys.path[:] = [str(copy), *(entry for entry in sys.path if Path(entry or ".").resolve() != ROOT)]
        os.chdir(copy)
        witness = Witness()
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123  the test's report is not of interest
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", f"tests/mocks/{mutation.test}"], plugins=[witness])
        os.chdir(ROOT)
    noticed = any(each in {"call: AssertionError", "call: Failed"} for each in witness.seen)
    return "red" if noticed else f"exit code {int(code)} {' '.join(witness.seen)}"


def run_all(mutations: list[Mutation]) -> list[str]:
    """The outcome of each. One process per mutation, forked from one that has imported all that is not the project."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, max_tasks_per_child=1) as pool:
        return list(pool.map(outcome, mutations))


def main(words: list[str]) -> int:
    chosen = [each for each in ALL if not words or any(word in each.test + each.file for word in words)]
    outcomes = run_all(chosen)
    for mutation, found in zip(chosen, outcomes, strict=True):
        print(f"{found:5}  {mutation.test}\n       {mutation.file}: {mutation.old.strip()!r}")
    print(f"{outcomes.count('red')} of {len(chosen)} noticed")
    return 0 if set(outcomes) <= {"red"} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
