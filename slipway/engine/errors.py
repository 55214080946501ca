"""How work on the engine fails."""

from __future__ import annotations

import sys
from typing import ClassVar


class Failure(Exception):  # noqa: N818 - what is raised is what failed
    """What the operator has to know, complete without a traceback."""

    __module__ = "builtins"  # reported by its name, not by where we keep it
    inside_provider: ClassVar[bool] = False

    def __init__(self, text: str) -> None:
        super().__init__(text)
        if self.inside_provider:  # Pulumi reports traceback.format_exc(), which keeps to this limit
            sys.tracebacklimit = 0


class Interrupted(Failure):
    """The operator ended the run: what is under way is left as it is."""

    __module__ = "builtins"
