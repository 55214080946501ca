"""What the last lines of a Python service, or of its migration, say about why it failed."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """`what` is a clause, `hint` what to do about it, "" where nothing is known. Both may hold {placeholders}."""

    what: str
    hint: str

    def filled(self, *values: str, **named: str) -> Cause:
        return Cause(self.what.format(*values, **named), self.hint.format(*values, **named))


NOT_SET = Cause("the variable {0} is not set", "declare {0} in its `env` or, for a secret, in its `secrets`")
REACH = "a service reaches its own database and what it `uses`; the world outside only with `egress: true`"
NO_NAME = Cause("the name {0} is not found (DNS)", REACH)
NO_COMMAND = Cause("its command is not in its image", "check `command`, and what its requirements install")
LITTLE_MEMORY = "raise its `memory`, or let it do with less"
SAID_TO_BE_UNSET = (
    r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b[`'\"]?(?: environment variable| variable| secret)? "
    r"(?:must be set|(?:is|was|has) (?:not set|not been set|missing|required|unset|undefined|not defined|empty))\b"
)

PATTERNS: tuple[tuple[str, Cause], ...] = (
    (
        r"ModuleNotFoundError: No module named '([^']+)'",
        Cause("import error: there is no module {0}", "add what brings {0} to its requirements, or correct its `app`"),
    ),
    (
        r"(?:ImportError|AppImportError): (.+)",
        Cause("import error: {0}", "correct its code, its `app` or its requirements"),
    ),
    (r"((?:SyntaxError|IndentationError|TabError): .+)", Cause("its code is not valid: {0}", "correct the code")),
    (
        r"Failed to find attribute '([^']+)' in '([^']+)'",
        Cause("import error: {1} has no {0}", "correct its `app`: module:variable"),
    ),
    (r"(?:os\.environ|<frozen os>|/os\.py)[\s\S]*?KeyError: '([A-Za-z_]\w*)'", NOT_SET),
    (SAID_TO_BE_UNSET, NOT_SET),
    (r"[Mm]issing (?:required )?(?:environment )?(?:variable|secret|setting):? [`'\"]?([A-Z][A-Z0-9_]+)", NOT_SET),
    (r"could not translate host name \"([^\"]+)\"", NO_NAME),
    (r"(?:Failed to resolve|Could not resolve host:?|getaddrinfo ENOTFOUND) '?([\w.-]+)", NO_NAME),
    (
        r"Name or service not known|Temporary failure in name resolution|No address associated with hostname",
        Cause("a host name is not found (DNS)", REACH),
    ),
    (
        r"password authentication failed for user \"([^\"]+)\"",
        Cause("the database refuses the password of {0}", "use {{database.password}} or {{database.url}} in its `env`"),
    ),
    (
        r"canceling statement due to lock timeout",
        Cause(
            "lock timeout: somebody else holds a lock that it needs",
            "try again when the site is quieter, or raise `migrations.lockTimeout`",
        ),
    ),
    (
        r"canceling statement due to statement timeout",
        Cause("statement timeout: one statement took too long", "split it, or raise `migrations.statementTimeout`"),
    ),
    (r"relation \"([^\"]+)\" does not exist", Cause("the table {0} is not in its database", "check its `migrate`")),
    (
        r"permission denied for (?:table|schema|relation|sequence) (\S+)",
        Cause(
            "its database login has no right to {0}",
            "change tables in `migrate` only: a service that has one runs without that right",
        ),
    ),
    (
        r"Read-only file system: '([^']+)'",
        Cause("it writes to {0}, which is read-only", "keep data in `volumes`, scratch files in /tmp"),
    ),
    (
        r"Permission denied: '([^']+)'",
        Cause(
            "its user may not use {0}",
            "what it writes belongs into `volumes`; if it only reads the file, write into the service's own "
            "Dockerfile, below COPY: RUN chmod -R a+rX .",
        ),
    ),
    (
        r"((?:chown|chgrp|gosu|su-exec|setpriv|su|usermod): .*(?:not permitted|must be suid|failure|denied).*)",
        Cause(
            "it does what only root may: {0}",
            "no service runs as root: let its ENTRYPOINT do that only where `id -u` is 0, or write `entrypoint: false`",
        ),
    ),
    (r"Perhaps out of memory\?", Cause("a worker was killed: out of memory", LITTLE_MEMORY)),
    (r"\bMemoryError\b", Cause("it ran out of memory", LITTLE_MEMORY)),
    (
        r"Address already in use|Connection in use: ",
        Cause("its port is taken by another process of its own", "start one server only"),
    ),
    (
        r"gunicorn: error: unrecognized arguments: (\S+)",
        Cause("its gunicorn is too old to know {0}", "have its image install gunicorn 25.1 or newer"),
    ),
    (r"executable file not found|exec: [^\n]*not found|: not found$", NO_COMMAND),
    (
        r"connection to server at \"([^\"]+)\"[^\n]*(?:refused|timed? ?out)",
        Cause("nothing answers at {0}", REACH),
    ),
)
"""From the most exact to the least: the first that is found anywhere in the log counts."""
_COMPILED = tuple((re.compile(pattern, re.MULTILINE), cause) for pattern, cause in PATTERNS)
_EXCEPTION = re.compile(r"^(?:\S+: )?((?:\w+\.)*[A-Z]\w*(?:Error|Exception|Failure|Exit)\b(?:: .*)?)$", re.MULTILINE)
LONGEST = 300


def in_log(log: str) -> Cause | None:
    """The known cause that the log shows; None where it shows none."""
    for pattern, cause in _COMPILED:
        if match := pattern.search(log):
            return cause.filled(*(str(group or "")[:LONGEST] for group in match.groups()))
    return None


def exception(log: str) -> Cause | None:
    """The last exception in the log, where no pattern knows it."""
    found = _EXCEPTION.findall(log)
    return Cause(f"its last error is {found[-1][:LONGEST]}", "") if found else None
