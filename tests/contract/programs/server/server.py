"""A server small enough for a test to know all of it.

    /        answers VERSION from the environment
    /slow    answers one second after the server was told to stop: a request that is on its way at that moment

SIGTERM closes the listener, lets open requests finish and exits with 0. While `/tmp/well` exists the health check
passes; it is made at the start unless HEALTH says otherwise. HEALTH=exit ends the server at once with status 3.
"""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

stopping = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            print("a slow request is on its way", flush=True)
            stopping.wait()
            threading.Event().wait(1)
        body = os.environ.get("VERSION", "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


health = os.environ.get("HEALTH", "good")
if health == "exit":
    sys.exit(3)
server = ThreadingHTTPServer(("", 8000), Handler)
server.daemon_threads = False  # so that the interpreter waits for open requests before it exits


def stop(*_):
    stopping.set()
    threading.Thread(target=server.shutdown).start()


signal.signal(signal.SIGTERM, stop)
if health == "good":
    Path("/tmp/well").touch()
print("ready", flush=True)
server.serve_forever()
