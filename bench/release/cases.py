"""The broken images, and what a report must say of each to have named the cause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SERVICE = "ledger"
OTHER_PORT = 5001


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to be no good.

    fault      the switch in the site's version.py, "" for none
    overrides  what else is declared otherwise in that version
    words      regular expressions, each of which any good report of the cause matches (in one of its lines)
    """

    name: str
    fault: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...]

    def missing(self, report: str) -> list[str]:
        """The words that the report has not got."""
        return [word for word in self.words if not re.search(word, report, re.IGNORECASE)]

    def quoted(self, report: str) -> list[str]:
        """The lines that the words were found in, each once."""
        told = report.rpartition("Diagnostics:")[2]  # behind Pulumi's list of what it did
        lines = [line.strip() for line in told.splitlines()]
        found = [line for line in lines if any(re.search(word, line, re.IGNORECASE) for word in self.words)]
        return list(dict.fromkeys(found))


def of_fault(fault: str, *words: str) -> Case:
    return Case(name=fault, fault=fault, words=words)


CASES = (
    # 3 is gunicorn's, 1 when two of its workers fail so fast that the second one interrupts its end
    of_fault("crash at start", SERVICE, r"exit code [13]|status [13]", "RuntimeError: the ledger has no pages"),
    of_fault("failing migration", f"{SERVICE}-migrate", r"exit code 1|status 1", 'relation "pages" does not exist'),
    of_fault("not ready", SERVICE, r"/ready\b", r"\b500\b"),
    of_fault("import error", SERVICE, "ModuleNotFoundError.*pages_of_the_ledger"),
    of_fault("missing secret", SERVICE, "KeyError|missing|not set", "LEDGER_SEAL"),
    of_fault("never healthy", SERVICE, "unhealthy|health", r"/health\b|HTTP (Error|status)", r"\b500\b"),
    of_fault("healthy, then dies", SERVICE, r"exit code 3|status 3", "the pages fell out"),
    of_fault("out of memory", SERVICE, "memory than its limit|out of memory|OOM"),
    Case(
        name="wrong port",
        overrides={
            SERVICE: {"app": None, "command": f"gunicorn --bind=0.0.0.0:{OTHER_PORT} {SERVICE}:app"},
        },
        words=(SERVICE, "refused|listens|nothing answers|no answer", rf"\b(5000|{OTHER_PORT})\b"),
    ),
    of_fault("too slow", SERVICE, "too slow|timed out|in time", "reading all pages first"),
)
"""In the order in which they are tried: the short form tries the first two, which fail at different places."""
