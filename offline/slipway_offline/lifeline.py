"""Ends this process when the process that started it ends.

A `pulumi` that is killed hard takes nothing with it: its plugins, the program and dynamic providers would work on,
unseen, on resources that no state knows. `hold()` is for our own processes. As a script, `lifeline.py MODULE
ARGUMENT...` runs somebody else's module (`pulumi.dynamic`, `pulumi.policy`) as `python -m` would, tied in the same
way; it uses the standard library alone, because it runs under the project's own Python.
"""

import os
import select
import sys
import threading

ORPHANED = 3  # exit status; nobody is left to read it


def hold() -> None:
    """Watches the parent process from now on. What is being done when it ends is left as it is, half-made or not."""
    parent = os.pidfd_open(os.getppid())

    def watch() -> None:
        select.select([parent], [], [])
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


if __name__ == "__main__":
    import runpy

    hold()
    del sys.argv[0]  # from here on as `python -m` has it
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.getcwd()  # noqa: PTH109
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
