"""What set-up shows: one line for each part, progress on the long steps, and errors that say what to type."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

QUIET_SECONDS = 20  # without a terminal: how often a long step says that it is still going on


class SetupError(Exception):
    """Set-up cannot go on. `remedy` is what the user can type or change, one line each."""

    def __init__(self, problem: str, *remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


class Console:
    """Writes to standard error, so that standard output stays free for results."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self._status_shown = False

    def line(self, text: str) -> None:
        """A line that stays."""
        self._clear()
        print(text, file=sys.stderr, flush=True)

    def settled(self, part: str, chosen: str, why: str) -> None:
        self.line(f"{part:<14} {chosen}  ({why})")

    def status(self, text: str) -> None:
        """A line that the next one replaces; on a terminal only."""
        if self.terminal:
            self._clear()
            print(text[:118], end="", file=sys.stderr, flush=True)
            self._status_shown = True

    def _clear(self) -> None:
        if self._status_shown:
            print("\r\033[K", end="", file=sys.stderr)
            self._status_shown = False

    def confirm(self, question: str) -> bool:
        """Asks on a terminal; without one the answer is yes, because there is nobody to ask."""
        if not (sys.stdin.isatty() and self.terminal):
            return True
        self._clear()
        print(f"{question} [Y/n] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("", "y", "yes")

    def run(
        self,
        what: str,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> str:
        """Runs a long command with its progress shown, and returns what it wrote, errors included.

        `log` gets it as well. Raises SetupError with the last lines when the command fails.
        """
        self.line(f"{'':<14} {what} …")
        started, done = time.monotonic(), threading.Event()
        output: list[str] = []
        with (
            subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            ) as process,
            (log or Path(os.devnull)).open("a") as record,
        ):
            progress = threading.Thread(target=self._progress, args=(output, done), daemon=True)
            progress.start()
            try:
                for line in process.stdout or ():
                    record.write(line)
                    output.append(line)
            except BaseException:
                process.terminate()
                raise
            finally:
                done.set()
                progress.join()
        if process.returncode:
            where = [f"everything it wrote: {log}"] if log else []
            last = "\n  ".join(line.rstrip() for line in output[-15:])
            raise SetupError(f"{what}: failed with exit code {process.returncode}\n  {last}", *where)
        self.line(f"{'':<14} … {time.monotonic() - started:.0f} s")
        return "".join(output)

    def _progress(self, output: list[str], done: threading.Event) -> None:
        """Shows the latest line and the time so far: each second on a terminal, else now and then."""
        started = shown = time.monotonic()
        while not done.wait(1):
            now = time.monotonic()
            text = f"{'':<14} {now - started:4.0f} s  {output[-1].rstrip() if output else 'started'}"
            self.status(text)
            if not self.terminal and now - shown > QUIET_SECONDS:
                shown = now
                self.line(text)
