# ruff: noqa: INP001 (beside the script that imports it, not a package)
"""What the images take over from this host so that builds and containers reach the package mirrors as it does: the
Debian mirror of its apt, the certificates it trusts beyond Debian's own, its proxies and its pip settings.

Reads only; the one thing that it may change is to install mmdebstrap. Refuses to hand on credentials: an image can be
pushed and read by anyone who gets it.
"""

from __future__ import annotations

import configparser
import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

OS_RELEASE = Path("/etc/os-release")
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
DEBIANS_CERTIFICATES = Path("/usr/share/ca-certificates")
SYSTEM_PIP_CONFIGURATION = (Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"))
PIP_URLS = ("index-url", "extra-index-url")
PIP_KEYS = (*PIP_URLS, "trusted-host")


class HostError(Exception):
    """This host lacks something that only its user can give; the message says what to type."""


def output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


@functools.cache
def apt_mirrors() -> dict[str, str]:
    """{"": mirror of the releases, "-updates": …, "-security": …} as this host's apt has them; empty where this host
    is no Debian (mmdebstrap then takes its own default)."""
    release = dict(line.split("=", 1) for line in OS_RELEASE.read_text().splitlines() if "=" in line)
    own = release.get("VERSION_CODENAME", "").strip('"')
    mirrors: dict[str, str] = {}
    if release.get("ID", "").strip('"') != "debian":
        return mirrors
    for line in output("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)").splitlines():
        uri, suite, component = line.split()
        known = re.fullmatch(rf"(?:{own}|stable|testing|sid|unstable)(|-updates|-security)", suite)
        if known and component == "main" and uri.startswith(("http", "mirror+http")):
            if urlsplit(uri).password:
                raise HostError("the Debian mirror in this host's apt sources has a password in its address, which "
                                 "would end up in every image: keep it in /etc/apt/auth.conf instead")
            mirrors.setdefault(known[1], uri.rstrip("/"))
    return mirrors


def apt_sources(suite: str) -> list[str]:
    """The apt source lines of another suite on this host's mirrors, not yet looked up."""
    return [f"deb {uri} {suite}{kind} main" for kind, uri in sorted(apt_mirrors().items())]


def reachable_sources(suite: str) -> list[str]:
    """Those of `apt_sources` that the mirror has: one that mirrors only the main archive lacks -security."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for line in apt_sources(suite):
            _, uri, name, _ = line.split()
            if output("/usr/lib/apt/apt-helper", "download-file", f"{uri}/dists/{name}/InRelease", f"{scratch}/{name}"):
                found.append(line)
    if apt_sources(suite) and not any(f" {suite} main" in line for line in found):
        raise HostError(f"this host's Debian mirror has no {suite}: {apt_sources(suite)[0]}")
    return found


def proxies() -> dict[str, str]:
    """The http(s) proxies of the environment, else of apt. (Docker keeps build arguments of these names out of the
    image and its history.)"""
    found = {name: os.environ.get(name) or os.environ.get(name.upper()) or ""
             for name in ("http_proxy", "https_proxy", "no_proxy")}
    for scheme in ("http", "https"):
        if not found[f"{scheme}_proxy"]:
            said = output("apt-config", "shell", "PROXY", f"Acquire::{scheme}::Proxy").strip()
            found[f"{scheme}_proxy"] = said.removeprefix("PROXY=").strip("'")
    return {name: value for name, value in found.items() if value and value != "DIRECT"}


def certificates_in(path: Path) -> list[str]:
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return []
    return re.findall(r"-----BEGIN CERTIFICATE-----\n.*?\n-----END CERTIFICATE-----\n?", text, re.DOTALL)


@functools.cache
def extra_certificates() -> tuple[str, ...]:
    """The certificates that this host trusts beyond Debian's own (a company's proxy, a private mirror)."""
    named = [os.environ.get(name) for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")]
    bundles = {Path(name) for name in [*named, pip_configuration().get("cert"), SYSTEM_BUNDLE] if name}
    trusted = {certificate.strip() for bundle in bundles for certificate in certificates_in(bundle)}
    debians = {certificate.strip() for path in DEBIANS_CERTIFICATES.rglob("*.crt")
               for certificate in certificates_in(path)}
    return tuple(f"{certificate}\n" for certificate in sorted(trusted - debians))


@functools.cache
def pip_configuration() -> dict[str, str]:
    """pip's settings on this host as pip reads them: system, user, PIP_CONFIG_FILE, environment; the last one wins."""
    home = Path.home()
    config = Path(os.environ.get("XDG_CONFIG_HOME", home / ".config"))
    parser = configparser.RawConfigParser(strict=False)
    parser.read([*SYSTEM_PIP_CONFIGURATION, home / ".pip/pip.conf", config / "pip/pip.conf",
                 os.environ.get("PIP_CONFIG_FILE", os.devnull)])
    found = {key.replace("_", "-"): value for section in ("global", "install") if parser.has_section(section)
             for key, value in parser.items(section)}
    found |= {name.removeprefix("PIP_").lower().replace("_", "-"): value
              for name, value in os.environ.items() if name.startswith("PIP_") and value}
    return found


def usable(key: str) -> Iterator[str]:
    for value in pip_configuration().get(key, "").split():
        if key not in PIP_URLS or not urlsplit(value).username:
            yield value


def pip_settings() -> str:
    """The python image's pip.conf: where this host's pip looks, and the bundle that holds the extra certificates."""
    values = {key: list(usable(key)) for key in PIP_KEYS}
    if "cert" in pip_configuration() or extra_certificates():
        values["cert"] = [SYSTEM_BUNDLE]
    lines = [f"{key} = {' '.join(found)}" for key, found in values.items() if found]
    return "\n".join(["[global]", *lines, ""])


def warnings() -> list[str]:
    """What of the pip settings the image does not get, and what to do."""
    return [f"pip's {key} on this host holds credentials and is left out of the python image: builds that need it get "
            f"it as --build-arg PIP_{key.upper().replace('-', '_')}=…"
            for key in PIP_URLS if len(list(usable(key))) != len(pip_configuration().get(key, "").split())]


def need_mmdebstrap(say: Callable[[str], None]) -> None:
    """Installs mmdebstrap (and, on Ubuntu, Debian's archive keys) where missing; raises HostError where it cannot."""
    packages = ["mmdebstrap", "debian-archive-keyring"]
    if shutil.which("mmdebstrap") and Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise HostError(f"mmdebstrap is needed; on Debian or Ubuntu: sudo {' '.join(install)}")
    say(f"installing {' '.join(packages)}")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], install):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            raise HostError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip()[-500:]}")
