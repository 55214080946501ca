"""sslyze's judgement on what nginx makes of our text, by Mozilla's guidelines 6.0 (sslyze itself still has 5.7)."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from slipway.nginx.tls import Tls
from slipway.site.edge import TlsProfile
from tests.servers.test_rendered_tls import EDGE, Server, server

__all__ = ["server"]
SSLYZE = [str(Path(sys.executable).with_name("uvx")), "--from", "sslyze==6.3.1", "sslyze"]
"""In an environment of its own: it wants an older cryptography than ours."""
ECDSA = [f"ecdsa-with-SHA{bits}" for bits in (256, 384, 512)]
KEPT = ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")
BOTH: dict[str, Any] = {
    "certificate_curves": ["prime256v1", "secp384r1"],
    "ciphersuites": [f"TLS_{cipher}" for cipher in KEPT],
    "ecdh_param_size": 256,
    "hsts_min_age": 63072000,
    "ocsp_staple": True,
    "oldest_clients": [],
    "recommended_certificate_lifespan": 90,
    "server_preferred_order": False,
    "tls_curves": ["X25519", "prime256v1", "secp384r1"],  # and X25519MLKEM768, a name that sslyze does not know
}
GUIDELINES: dict[TlsProfile, dict[str, Any]] = {
    TlsProfile.MODERN: BOTH
    | {
        "certificate_signatures": ECDSA,
        "certificate_types": ["ecdsa"],
        "ciphers": {"caddy": [], "go": [], "iana": [], "openssl": []},
        "dh_param_size": None,
        "maximum_certificate_lifespan": 90,
        "rsa_key_size": None,
        "tls_versions": ["TLSv1.3"],
    },
    TlsProfile.INTERMEDIATE: BOTH
    | {
        "certificate_signatures": ["sha256WithRSAEncryption", *ECDSA],
        "certificate_types": ["ecdsa", "rsa"],
        "ciphers": {
            "caddy": [],
            "go": [],
            "openssl": [],
            "iana": [f"TLS_ECDHE_{key}_WITH_{cipher}" for key in ("ECDSA", "RSA") for cipher in KEPT],
        },
        "dh_param_size": 2048,
        "maximum_certificate_lifespan": 366,
        "rsa_key_size": 2048,
        "tls_versions": ["TLSv1.2", "TLSv1.3"],
    },
}
"""ssl-config.mozilla.org/guidelines/6.0.json, in the shape that sslyze reads."""


@pytest.fixture(scope="module")
def sslyze() -> list[str]:
    tried = subprocess.run([*SSLYZE, "--help"], capture_output=True, text=True, check=False, timeout=300)
    if tried.returncode:
        pytest.skip(f"NOT CHECKED: sslyze cannot be installed here: {tried.stderr.strip()[-300:]}")
    return SSLYZE


@pytest.mark.parametrize("asked", TlsProfile)
@pytest.mark.parametrize("configured", TlsProfile)
def test_each_profile_is_compliant_with_mozillas_and_intermediate_is_not_modern(
    server: Server,
    sslyze: list[str],
    tmp_path: Path,
    configured: TlsProfile,
    asked: TlsProfile,
) -> None:
    server.configure(replace(EDGE, hosts=(), tls=Tls(port=8443, version="1", profile=configured)))
    guidelines = tmp_path / "guidelines.json"
    guidelines.write_text(json.dumps(GUIDELINES[asked]))
    options = [f"--custom_tls_config={guidelines}", f"--certinfo_ca_file={server.authority}"]
    target = f"a.test:{server.port(443)}{{127.0.0.1}}"
    done = subprocess.run([*sslyze, *options, target], capture_output=True, text=True, check=False, timeout=120)
    compliant = "OK - Compliant" in done.stdout
    assert compliant == (asked is configured or configured is TlsProfile.MODERN), done.stdout[-2000:] + done.stderr
