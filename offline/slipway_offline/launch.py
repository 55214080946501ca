"""Runs one module of this package: `python -I launch.py MODULE ARGUMENT...`, which is what the launchers do.

Isolated mode keeps the user's project (the working directory) and PYTHONPATH out of our imports, and because no
environment variable is needed to find this package, none can leak into the program that the language host starts.
"""

import os
import runpy
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    del sys.argv[0]
    runpy.run_module(f"slipway_offline.{sys.argv[0]}", run_name="__main__", alter_sys=True)
