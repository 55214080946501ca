"""Works on and on, and says for which release."""

import os
import time

while True:
    print(f"worked for {os.environ['RELEASE']}", flush=True)
    time.sleep(0.5)
