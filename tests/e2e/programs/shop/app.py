"""A service whose answers tell which release gave them, and that fails in the way that BREAK names."""

import os
import signal
import threading
import time

RELEASE, BREAK = os.environ["RELEASE"], os.environ.get("BREAK", "")
STATUS = {"/health": "200 OK", "/ready": "500 NO" if BREAK == "ready" else "200 OK"}
PREFIX = os.environ.get("SCRIPT_NAME", "")

if BREAK == "crash":
    raise RuntimeError("no stock today")
if BREAK == "memory":
    HOARD = [bytearray(2**20) for _ in range(4096)]
if BREAK == "slow":
    time.sleep(600)


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/ready" and BREAK == "later":  # when the gate, which asks that, has let it in; at once, not gracefully
        threading.Timer(6, os.kill, (os.getppid(), signal.SIGQUIT)).start()
    if path == "/sick":
        STATUS["/health"] = "500 NO"
    start_response(STATUS.get(path, "200 OK"), [("Content-Type", "text/plain")])
    return [RELEASE.encode()]
