"""The parts of the search for secrets that need no engine."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from slipway.audit import leaks
from slipway.audit.canary import Canaries, Hit
from slipway.cli.pulumi import State
from slipway.core.resource_types import FILES_VOLUME, LOCAL_CERTIFICATE, PASSWORD

KEY, SUPERUSER, FORMER = "K" * 20 + "1", "P" * 20 + "2", "F" * 20 + "3"
LINE = "MIGH" + "L" * 60
SHOWN = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def packed(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def shown(value: Any) -> dict[str, str]:
    """A secret in a state that is exported with its secrets."""
    return SHOWN | {"plaintext": json.dumps(value)}


def test_every_secret_of_a_state_is_looked_for_once_by_its_name() -> None:
    state = State(
        (
            {
                "type": LOCAL_CERTIFICATE,
                "urn": "urn::site-prod-edge-certificate",
                "outputs": {"authority_key": shown(f"-----BEGIN PRIVATE KEY-----\n{LINE[::-1]}\nmore\n")},
            },
            {"type": PASSWORD, "urn": "urn::site-prod-ui-KEY", "outputs": {"result": shown(KEY)}},
            {
                "type": FILES_VOLUME,
                "urn": "urn::site-prod-ui-files",
                "inputs": {
                    "volume": "site-prod-ui-files-1",
                    "files": shown(
                        {
                            "exec": "#!/bin/sh, which is no secret",
                            "env/KEY_FALLBACKS": json.dumps([FORMER]),
                            "env/DEBUG": "short",
                            "superuser-password": SUPERUSER,
                            "site.pem": f"-----BEGIN PRIVATE KEY-----\n{LINE}\nmore\n-----END PRIVATE KEY-----\n",
                        }
                    ),
                },
            },
        )
    )
    assert leaks.secrets_of(state) == {
        "site-prod-edge-certificate:authority_key": LINE[::-1],
        "site-prod-ui-files-1:site.pem": LINE,
        "site-prod-ui-KEY": KEY,
        "site-prod-ui-files-1:env/KEY_FALLBACKS": FORMER,
        "site-prod-ui-files-1:superuser-password": SUPERUSER,
    }


def test_a_secret_in_a_layer_is_found_packed_or_not_and_those_of_base_images_are_left_out() -> None:
    layers = {"base": packed({"etc/base": KEY.encode()}), "one": packed({"app/one": SUPERUSER.encode()})}
    layers["two"] = gzip.compress(packed({"app/two": FORMER.encode()}))
    manifest = json.dumps([{"Layers": [f"{name}/layer.tar" for name in layers]}]).encode()
    saved = packed({f"{name}/layer.tar": content for name, content in layers.items()} | {"manifest.json": manifest})
    values = Canaries({"key": KEY, "password": SUPERUSER, "former": FORMER})

    def found(*without: str) -> set[Hit]:
        return values.in_chunks(leaks.layers_in(io.BytesIO(saved), list(layers), set(without)))

    assert found() == {Hit(name, "plain") for name in ("key", "password", "former")}
    assert found("base") == {Hit(name, "plain") for name in ("password", "former")}
