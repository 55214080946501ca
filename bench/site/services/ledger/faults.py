"""The ways in which a new version can be no good. The switch is FAULT in version.py."""

import os
import threading
import time

from version import FAULT

DYING = 0.2
"""Seconds between the first good health check and the end of a version that does not stay well."""


def at_start() -> None:
    """What a version does while its module is imported."""
    if FAULT == "crash at start":
        raise RuntimeError("the ledger has no pages")
    if FAULT == "import error":
        import pages_of_the_ledger  # noqa: F401, PLC0415
    if FAULT == "missing secret":
        os.environ["LEDGER_SEAL"]
    if FAULT == "out of memory":
        pages = []
        while True:
            pages.append(b"page" * (1 << 20))
    if FAULT == "too slow":
        print("ledger: reading all pages first", flush=True)
        time.sleep(3600)


def health() -> int:
    """The status of a health check; a version that does not stay well ends soon after its first."""
    if FAULT == "healthy, then dies":
        threading.Timer(DYING, die).start()
    return 500 if FAULT == "never healthy" else 200


def ready() -> int:
    return 500 if FAULT == "not ready" else 200


def die() -> None:
    print("ledger: the pages fell out", flush=True)
    os._exit(3)  # with this status of a worker gunicorn ends as a whole
