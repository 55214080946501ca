"""Content hashes. Anything over a secret is keyed: a plain hash in a name could be guessed from a list of passwords."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

SHORT = 12


def of_value(value: Any, length: int = SHORT) -> str:
    """Hash of JSON-like values; the order of keys does not count. Raises TypeError for anything else."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def keyed(key: str, files: Mapping[str, str], length: int = SHORT) -> str:
    """HMAC over secret files, for the name of the volume that holds them: other content, other volume."""
    text = json.dumps(files, sort_keys=True, separators=(",", ":"))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:length]
