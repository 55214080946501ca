"""Releases under load, with figures: `python -m bench.release`, or `make bench-release [SHORT=1] [WITHOUT=drain]`.

A copy of the project runs a small site in production on the real engine (bench/site). While visitors send requests on a
schedule, new versions are released, earlier ones brought back, and broken ones refused. At the end every request is
judged, and what was acknowledged is looked for in the site's table. Writes release.json, release.svg, and what every
command said. Exit status 1 when anything failed, was stored twice or was lost, when short GETs became more than twice
as slow during releases, when a broken version answered a visitor, or when a report did not name the cause.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

from bench import interrupt
from bench.release.cases import CASES, Case
from bench.release.judge import judge, problems, report
from bench.release.load import Load, load
from bench.release.picture import svg
from bench.release.schedule import SHORT
from bench.release.site import Ledger, Run
from bench.release.steps import Step, What, plan
from bench.release.without import STEPS, take_out
from slipway.cli.pulumi import environment
from slipway.setup import paths
from slipway.setup.choices import Choices
from tests.support import engine

RESULTS = paths.PROJECT / "bench" / "results"
FIRST = "v0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """How much is done. `steady`: seconds before the first step; `pause`: seconds after each; `requests`: how many
    there are at least; `until_failure`: no further step is taken once a request has failed."""

    name: str
    releases: int
    rollbacks: int
    broken: int
    steady: float
    pause: float
    requests: int = 0
    until_failure: bool = False

    @property
    def steps(self) -> list[What]:
        return plan(self.releases, self.rollbacks, self.broken)


FULL = Form(name="full", releases=30, rollbacks=10, broken=len(CASES), steady=30, pause=8, requests=100_000)
SHORT_FORM = Form(name="short", releases=1, rollbacks=1, broken=2, steady=15, pause=4)
WITHOUT = dataclasses.replace(SHORT_FORM, name="without a safety step", steady=10, until_failure=True)


class Bench:
    """One run: the steps, one after the other, on a site that is up and under load."""

    def __init__(self, site: Ledger, results: Path) -> None:
        self.site, self.results = site, results
        self.steps: list[Step] = []
        self.released, self.serving = [FIRST], FIRST
        self.numbers = itertools.count(1)
        self.cases = itertools.cycle(CASES)

    def step(self, what: What) -> Step:
        """Does one, keeps what it said, and prints a line."""
        version, case = f"v{next(self.numbers)}", None
        if what is What.RELEASE:
            self.site.change(version)
            run = self.site.release()
            self.released.append(version)
        elif what is What.BROKEN:
            run = self.broken(version, case := next(self.cases))
        else:
            version = self.released[self.released.index(self.serving) - 1]
            run = self.site.go_back()
        self.serving = version if case is None else self.serving
        step = Step(
            what=what,
            version=version,
            start=run.start,
            end=run.end,
            started=run.started,
            drained=run.drained,
            code=run.code,
        )
        if case:
            step.case, step.missing, step.reported = case.name, case.missing(run.output), case.quoted(run.output)
        self.steps.append(step)
        self.keep(step, run)
        return step

    def broken(self, version: str, case: Case) -> Run:
        self.site.change(version, case.fault, case.overrides)
        return self.site.release()

    def keep(self, step: Step, run: Run) -> None:
        name = "-".join(word for word in (step.what, step.version, *step.case.replace(",", "").split()) if word)
        (self.results / f"{len(self.steps):02}-{name}.txt").write_text(run.output)
        problem = "" if step.wanted else f"  exit code {step.code}"
        problem += f"  the report does not say {', '.join(step.missing)}" if step.missing else ""
        say(f"{step.what:8} {step.version:4} {step.case:18} {step.seconds:5.1f} s{problem}")

    def run(self, form: Form, steps: list[What], running: Load, rate: int) -> None:
        running.goes_on(form.steady)
        if form.until_failure and running.failing:
            raise RuntimeError("requests fail before anything was released: this machine is too busy for the load")
        for what in steps:
            self.step(what)
            running.goes_on(form.pause)
            if form.until_failure and running.failing:
                return
        running.goes_on(max(0.0, form.requests / (rate + 2) - (time.time() - running.start)))


def say(text: str) -> None:
    print(text, flush=True)


def measure(form: Form, rate: int, without: str, results: Path, *, times: bool = True) -> list[str]:
    """Runs it all, writes the results, and returns what is wrong; nothing of it stays on the engine. `times`: whether
    slow answers are."""
    details = results / "release"
    details.mkdir(parents=True, exist_ok=True)
    for old in details.iterdir():
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        site = Ledger(Path(folder), virtualenv=paths.VIRTUALENV)
        bench = Bench(site, details)
        begun = time.time()
        try:
            if without:
                take_out(without, site.directory)
            site.init()
            site.change(FIRST)
            first = site.release()
            (details / "00-first.txt").write_text(first.output)
            if first.code:
                raise RuntimeError(f"the site does not come up:\n{first.output}")
            say(f"{'up':8} {FIRST:4} {'':18} {first.end - first.start:5.1f} s")
            with load(site.port, details / "requests.jsonl", rate) as running:
                steps = list(STEPS[without].steps) if without else form.steps
                bench.run(form, steps, running, rate)
            stored, cut_off = site.table(), site.cut_off(bench.released)
        finally:
            site.remove()
    for step in bench.steps:
        answers = (each.end for each in running.records if each.version == step.version and each.planned > step.start)
        step.serving = min(answers, default=None)
    judgement = judge(running.records, stored, bench.steps, cut_off)
    found = problems(judgement, bench.steps, times=times)
    version = str(engine.client().version()["Version"])
    figures = {
        "form": form.name,
        "without": without or None,
        "engine": version,
        "processors": os.cpu_count(),
        "kernel": platform.release(),
        "seconds": round(time.time() - begun, 1),
        **report(judgement, bench.steps, running.seconds),
        "problems": found,
    }
    (results / "release.json").write_text(json.dumps(figures, indent=2) + "\n")
    title = ", ".join(f"{figures[name]} {name}" for name in ("requests", "failed", "doubled", "lost", "releases"))
    (results / "release.svg").write_text(svg(running.records, bench.steps, title))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.release", description="Releases of a real site under load.")
    parser.add_argument("--short", action="store_true", help="the short form: at most five minutes")
    parser.add_argument("--busy", action="store_true", help="others use the machine: slow answers are no failure")
    parser.add_argument("--without", choices=STEPS, default="", help="take one safety step out: something is then lost")
    parser.add_argument("--rate", type=int, help=f"short requests in a second (default: {SHORT})")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    given = parser.parse_args()
    os.environ.update(environment(Choices.load(), os.environ))
    interrupt.on_sigterm()  # so that the site is taken away
    form = WITHOUT if given.without else SHORT_FORM if given.short else FULL
    rate = given.rate or (STEPS[given.without].rate if given.without else SHORT)
    found = measure(form, rate, given.without, given.results, times=not given.busy)
    say((given.results / "release.json").read_text())
    for problem in found:
        say(f"FAILED: {problem}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
