"""Works on and on, and says for which release."""

import os
import signal
import sys
import time

signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # the first process of a container does not end by itself

while True:
    print(f"worked for {os.environ['RELEASE']}", flush=True)
    time.sleep(0.5)
