"""What set-up shows: one line for each part, progress on the long steps, and errors that say what to type."""

from __future__ import annotations

import collections
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

QUIET_SECONDS = 20  # without a terminal: how long a long step may be silent before a line says that it is still going on


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
        self, what: str, command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None,
        cwd: Path | None = None, log: Path | None = None,
    ) -> str:
        """Runs a long command with its progress shown, and returns what it wrote to standard output.

        Everything it writes goes to `log` as well. Raises SetupError with its last lines when it fails.
        """
        started = shown = time.monotonic()
        output: list[str] = []
        last: collections.deque[str] = collections.deque(maxlen=15)
        lines: queue.SimpleQueue[tuple[bool, str | None]] = queue.SimpleQueue()

        def pump(pipe: IO[str], wanted: bool) -> None:
            for text in pipe:
                lines.put((wanted, text))
            lines.put((wanted, None))

        self.line(f"{'':<14} {what} …")
        with (
            subprocess.Popen(command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, errors="replace") as process,
            (log or Path(os.devnull)).open("a") as record,
        ):
            for pipe in (process.stdout, process.stderr):
                threading.Thread(target=pump, args=(pipe, pipe is process.stdout), daemon=True).start()
            open_pipes = 2
            try:
                while open_pipes:
                    try:
                        wanted, text = lines.get(timeout=1)
                    except queue.Empty:
                        pass
                    else:
                        if text is None:
                            open_pipes -= 1
                            continue
                        record.write(text)
                        last.append(text.rstrip())
                        if wanted:
                            output.append(text)
                    now, news = time.monotonic(), last[-1] if last else "still running"
                    self.status(f"{'':<14} {now - started:4.0f} s  {news}")
                    if not self.terminal and now - shown > QUIET_SECONDS:
                        shown = now
                        self.line(f"{'':<14} {now - started:4.0f} s  {news}")
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            where = [f"everything it wrote: {log}"] if log else []
            raise SetupError(f"{what}: failed with exit code {process.returncode}\n  " + "\n  ".join(last), *where)
        self.line(f"{'':<14} … {time.monotonic() - started:.0f} s")
        return "".join(output)
