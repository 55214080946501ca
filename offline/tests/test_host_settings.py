"""What the base images take over from this host, and what they do not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import host_settings
import pytest

BUNDLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
OWN = "-----BEGIN CERTIFICATE-----\nb3du\n-----END CERTIFICATE-----\n"
DEBIANS = "-----BEGIN CERTIFICATE-----\nZGViaWFu\n-----END CERTIFICATE-----\n"


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Debian 12 without any setting of its own, whose home is the test's folder."""
    for name in os.environ:
        if name.startswith("PIP_") or name.lower().endswith("_proxy") or name in BUNDLES:
            monkeypatch.delenv(name)
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    (tmp_path / "bundle.crt").write_text(DEBIANS)
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "one.crt").write_text(DEBIANS)
    (tmp_path / "bin").mkdir()
    program(tmp_path, "apt-config", "")
    monkeypatch.setattr(host_settings, "OS_RELEASE", tmp_path / "os-release")
    monkeypatch.setattr(host_settings, "SYSTEM_BUNDLE", str(tmp_path / "bundle.crt"))
    monkeypatch.setattr(host_settings, "DEBIANS_CERTIFICATES", tmp_path / "certificates")
    monkeypatch.setattr(host_settings, "SYSTEM_PIP_CONFIGURATION", (tmp_path / "pip.conf",))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for cached in (host_settings.apt_mirrors, host_settings.extra_certificates, host_settings.pip_configuration):
        cached.cache_clear()


def program(host: Path, name: str, output: str) -> None:
    path = host / "bin" / name
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\n")
    path.chmod(0o755)


def apt_has(host: Path, *lines: str) -> None:
    program(host, "apt-get", "\n".join(lines))


def test_sources_are_this_hosts_mirrors_with_the_suite_swapped(host: Path) -> None:
    apt_has(host, "http://mirror.test/debian/ bookworm main", "http://mirror.test/debian/ bookworm-updates main",
            "http://mirror.test/debian-security/ bookworm-security main")
    assert host_settings.apt_sources("trixie") == [
        "deb http://mirror.test/debian trixie main",
        "deb http://mirror.test/debian-security trixie-security main",
        "deb http://mirror.test/debian trixie-updates main"]


def test_repositories_of_others_are_no_debian_mirrors(host: Path) -> None:
    apt_has(host, "http://other.test/docker/ bookworm stable", "http://other.test/pg/ bookworm-pgdg main",
            "http://other.test/node/ nodistro main", "file:/media/cdrom/ bookworm main",
            "http://mirror.test/debian/ bookworm main")
    assert host_settings.apt_sources("forky") == ["deb http://mirror.test/debian forky main"]


def test_on_ubuntu_mmdebstraps_own_mirror_is_used(host: Path) -> None:
    (host / "os-release").write_text("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n")
    apt_has(host, "http://mirror.test/ubuntu/ noble main")
    assert host_settings.apt_sources("trixie") == []
    assert host_settings.reachable_sources("trixie") == []


def test_a_mirror_with_a_password_in_its_address_is_refused(host: Path) -> None:
    apt_has(host, "http://user:secret@mirror.test/debian/ bookworm main")
    with pytest.raises(host_settings.HostError, match="password") as refused:
        host_settings.apt_sources("trixie")
    assert "secret" not in str(refused.value)


def test_only_certificates_beyond_debians_own_are_carried_over(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert host_settings.extra_certificates() == ()
    (host / "own.crt").write_text(OWN + DEBIANS)
    monkeypatch.setenv("PIP_CERT", str(host / "own.crt"))
    forget()
    assert host_settings.extra_certificates() == (OWN,)


@pytest.mark.parametrize("name", BUNDLES)
def test_each_name_of_a_bundle_counts_and_a_missing_file_does_not_hurt(
    name: str, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(host / "own.crt"))
    assert host_settings.extra_certificates() == ()
    (host / "own.crt").write_text(OWN)
    forget()
    assert host_settings.extra_certificates() == (OWN,)


def test_pips_indexes_are_carried_over_and_paths_of_this_host_are_not(host: Path) -> None:
    (host / "pip.conf").write_text(
        "[global]\nindex-url = https://index.test/simple\nfind-links = /opt/wheels\n"
        "[install]\nextra-index-url =\n    https://a.test\n    https://b.test\ntrusted-host = a.test\n")
    assert host_settings.pip_settings() == (
        "[global]\nindex-url = https://index.test/simple\n"
        "extra-index-url = https://a.test https://b.test\ntrusted-host = a.test\n")
    assert host_settings.warnings() == []


def test_the_environment_wins_over_pips_files(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (host / "config" / "pip").mkdir(parents=True)
    (host / "config" / "pip" / "pip.conf").write_text("[global]\nindex_url = https://file.test\n")
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.test")
    assert "https://environment.test" in host_settings.pip_settings()
    assert "file.test" not in host_settings.pip_settings()


def test_an_index_with_credentials_is_left_out_with_a_warning_that_does_not_show_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@index.test/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://token@a.test https://b.test")
    text, warnings = host_settings.pip_settings(), " ".join(host_settings.warnings())
    assert "index.test" not in text
    assert "a.test" not in text
    assert "https://b.test" in text
    assert "--build-arg PIP_INDEX_URL=" in warnings
    assert "--build-arg PIP_EXTRA_INDEX_URL=" in warnings
    assert "secret" not in text + warnings


def test_pip_uses_the_images_bundle_where_the_host_has_one_of_its_own(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "cert" not in host_settings.pip_settings()
    (host / "own.crt").write_text(OWN)
    monkeypatch.setenv("SSL_CERT_FILE", str(host / "own.crt"))
    forget()
    assert f"cert = {host_settings.SYSTEM_BUNDLE}" in host_settings.pip_settings()


def test_proxies_come_from_the_environment_else_from_apt(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert host_settings.proxies() == {}
    program(host, "apt-config", "PROXY='http://apt.test:3128'")
    monkeypatch.setenv("HTTPS_PROXY", "http://environment.test")
    assert host_settings.proxies() == {"http_proxy": "http://apt.test:3128", "https_proxy": "http://environment.test"}


def test_without_mmdebstrap_and_apt_the_message_says_what_to_type(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(host / "bin"))
    with pytest.raises(host_settings.HostError, match=r"sudo apt-get install .*mmdebstrap debian-archive-keyring"):
        host_settings.need_mmdebstrap(print)


def test_mmdebstrap_is_installed_by_root_where_missing(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (host / "bin" / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {host}/asked\n')
    (host / "bin" / "apt-get").chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "mmdebstrap" else f"/usr/bin/{name}")
    host_settings.need_mmdebstrap(print)
    assert (host / "asked").read_text().splitlines() == [
        "update", "install --yes --no-install-recommends mmdebstrap debian-archive-keyring"]
