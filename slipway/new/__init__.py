"""The files of a new site, with its name, its ports and the way to Slipway filled in. Imports no pulumi.

`site/` holds them as they will be, `${…}` where something is filled in; `gitignore` gets its dot when it is written.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import socket
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("site")
PORTS = range(10010, 30000, 10)
"""The first of each site's ten ports: above those that other programs have by default, below those that the kernel
gives to connections (32768)."""
PROD = 9
"""What is added for nginx; those between are for further services in dev."""


def files(folder: Path, program: Path, name: str, port: int) -> dict[Path, str]:
    """{path below the folder: text}. `program` is the checkout of Slipway that makes the site, `port` the first of
    its ports."""
    values = {
        "name": name,
        "program": json.dumps(os.path.relpath(program, folder), ensure_ascii=False),  # a JSON string is one of YAML
        "schema": schema(folder, program / "docs" / "settings.schema.json"),
        "slipway": shlex.quote(os.path.relpath(program / "bin" / "slipway", folder)),
        "dev_port": str(port),
        "prod_port": str(port + PROD),
    }
    return {
        file.relative_to(TEMPLATE).with_name(file.name.replace("gitignore", ".gitignore")): filled(file, values)
        for file in sorted(TEMPLATE.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def schema(folder: Path, file: Path) -> str:
    """How a comment names the schema for the YAML language server: it reads up to the first space, and takes what is no
    URL as a path from the file that it stands in."""
    path = os.path.relpath(file, folder)
    return file.as_uri() if any(character.isspace() for character in path) else path


def filled(file: Path, values: Mapping[str, str]) -> str:
    return Template(file.read_text(encoding="utf-8")).substitute(values)


def first_port(folder: Path) -> int:
    """The first of ten ports that nothing uses now. Where the search begins depends on the folder: two sites that are
    never up at the same time while one of them is made must not get the same."""
    digest = int.from_bytes(hashlib.sha256(os.fsencode(folder)).digest()[:8])
    start = digest % len(PORTS)
    tried = chain(PORTS[start:], PORTS[:start])
    return next((port for port in tried if free(port) and free(port + PROD)), PORTS[start])


def free(port: int) -> bool:
    """Whether nothing listens there on 127.0.0.1 or on all addresses."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
