"""How a command tells the providers of its run that the operator has interrupted it: by a file that appears.

Pulumi itself tells only plugins, in a call that its SDK answers for dynamic providers without a word to them; and it
starts each in a process group of its own, out of reach of the keyboard. It then waits for the work in hand.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "SLIPWAY_INTERRUPTED"
"""In the environment of a run: where the file will be."""


def came() -> bool:
    """Whether the run that this process works for was interrupted; never for plain Pulumi's."""
    return VARIABLE in os.environ and Path(os.environ[VARIABLE]).exists()
