"""How much one address may ask for at once, and how often below some paths, as nginx's text.

A visitor may make a minute's requests at once; whoever goes on faster is answered with 429 and never reaches a service.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

CONNECTIONS = "limit_conn_zone $binary_remote_addr zone=addresses:10m;\n"
"""For about 80,000 addresses that ask at the same moment."""
MEMORY = "1m"
"""For each path: about 8,000 addresses (128 bytes each on 64-bit systems); the longest unseen go first."""


def http_part(limits: Mapping[str, int], connections: int = 0) -> str:
    """`connections`: requests that one address may have open at once; 0: any number. `limits`: {path: requests a
    minute}. Each path has a zone of its own, whose name only depends on the path: nginx refuses to give an existing
    zone another meaning in a reload."""
    return (CONNECTIONS if connections else "") + "".join(
        f'map $uri ${_zone(path)} {{\n    "~{_below(path)}" $binary_remote_addr;\n}}\n'
        f"limit_req_zone ${_zone(path)} zone={_zone(path)}:{MEMORY} rate={rate}r/m;\n"
        for path, rate in sorted(limits.items())
    )


def server_part(limits: Mapping[str, int], connections: int = 0) -> str:
    """What each server for visitors says."""
    lines = "".join(
        f"    limit_req zone={_zone(path)}{f' burst={rate - 1}' if rate > 1 else ''} nodelay;\n"
        for path, rate in sorted(limits.items())
    )
    held = f"    limit_conn_status 429;\n    limit_conn addresses {connections};\n" if connections else ""
    return held + (f"    limit_req_status 429;\n{lines}" if lines else "")


def _below(path: str) -> str:
    """The path itself and what is below it, not what merely begins with the same letters."""
    return f"^{re.escape(path)}" if path.endswith("/") else f"^{re.escape(path)}(/|$)"


def _zone(path: str) -> str:
    return f"limited_{hashlib.sha256(path.encode()).hexdigest()[:8]}"
