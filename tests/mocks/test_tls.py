"""What the program makes of TLS at the edge."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slipway.core import certificates
from slipway.nginx import main as nginx_main
from slipway.nginx import routes as nginx
from slipway.nginx.main import LIVE
from tests.mocks.program import run
from tests.mocks.recording import Program
from tests.mocks.sites import UI, declared, program_of

LOCAL, ACME = "TLS by an authority of its own", "TLS by certbot"


def routes(program: Program) -> str:
    return str(program.of_kind("Release")["release"].inputs["routes"][nginx.TLS_ROUTES_FILE])


def mounts(program: Program, container: str) -> dict[str, tuple[str, bool]]:
    """{path: (volume, whether it is read-only)}."""
    return {
        each["containerPath"]: (each["volumeName"], bool(each.get("readOnly")))
        for each in program.containers[container].inputs["volumes"]
    }


@pytest.mark.parametrize("site", [LOCAL, ACME])
def test_the_edge_publishes_a_second_port_and_its_url_is_https(site: str) -> None:
    program = program_of("prod", site)
    ports = [(each["internal"], each["external"]) for each in program.containers["edge"].inputs["ports"]]
    assert ports == [(80, 8100), (443, 8443)]
    assert program.exports["url"] == "https://www.example.org:8443/"
    assert mounts(program, "edge")["/etc/nginx/tls"][1], "nginx only reads its certificates"


@pytest.mark.parametrize("site", [LOCAL, ACME])
def test_dev_speaks_plain_http(site: str) -> None:
    program = program_of("dev", site)
    assert not program.of_kind("LocalCertificate")
    assert "certbot" not in {*program.containers, *program.of_kind("Network")}


def test_the_local_certificate_is_for_every_name_and_this_machine() -> None:
    program = program_of("prod", LOCAL)
    [certificate] = program.of_kind("LocalCertificate").values()
    assert certificate.inputs["names"] == ["www.example.org", "localhost", "127.0.0.1"]
    assert set(certificate.request.additionalSecretOutputs) == {"authority_key", "combined"}


def test_nginx_is_not_replaced_for_a_new_certificate_but_a_release_reloads_it() -> None:
    program = program_of("prod", LOCAL)
    edge, release = program.containers["edge"], program.of_kind("Release")["release"]
    [certificate] = program.of_kind("LocalCertificate").values()
    assert certificate.urn not in edge.built_from | {
        urn
        for each in program.of_kind("FilesVolume").values()
        if each.logical == "edge-config"
        for urn in each.built_from
    }
    assert certificate.urn in release.built_from
    volume = program.of_kind("FilesVolume")["edge-tls"]
    other = run("prod", {**declared(ui=UI), "edge": {"hosts": ["other.example.org"], "tls": "self-signed"}})
    assert volume.inputs["volume"] == other.of_kind("FilesVolume")["edge-tls"].inputs["volume"]
    assert (volume.inputs["mode"], volume.inputs["uid"]) == (0o400, 101)


def test_hsts_and_strict_headers_reach_nginx() -> None:
    text = routes(program_of("prod", LOCAL))
    assert 'map "$upstream_http_strict_transport_security"' in text
    assert '"max-age=300"' in text
    assert "default-src 'self'" in text


def test_certbot_has_one_certificate_for_each_server_and_no_way_to_anything_of_ours() -> None:
    program = program_of("prod", ACME)
    command = program.containers["certbot"].inputs["command"]
    assert json.loads(command[-1]) == {
        "certificates": {
            "www.example.org": ["www.example.org", "example.org"],
            "images.example.org": ["images.example.org"],
        },
        "directory": "https://acme-v02.api.letsencrypt.org/directory",
        "email": "a@example.org",
        "bundle": "",
        "generation": 0,
    }
    inputs = program.containers["certbot"].inputs
    networks = {each.name + "-1234567": name for name, each in program.of_kind("Network").items()}
    assert [networks[each["name"]] for each in inputs["networksAdvanced"]] == ["certbot"]
    assert program.of_kind("Network")["certbot"].inputs["internal"] is False
    assert not inputs.get("ports")
    assert inputs["user"] == program.containers["edge"].inputs["user"]


def test_certbot_writes_what_nginx_reads_and_keeps_its_account_to_itself() -> None:
    program = program_of("prod", ACME)
    certbot, edge = mounts(program, "certbot"), mounts(program, "edge")
    assert certbot["/srv/tls"][0] == edge["/etc/nginx/tls"][0]
    assert not certbot["/srv/tls"][1]
    data, _ = certbot["/var/lib/certbot"]
    assert data == "slipway-prod-certbot-data"
    assert data not in str(edge)
    assert program.of_kind("Volume")["certbot-data"].request.retainOnDelete


def test_nginx_has_a_certificate_to_start_with_and_follows_new_ones() -> None:
    program = program_of("prod", ACME)
    [placeholders] = program.of_kind("Placeholders").values()
    own = ["certificates/www.example.org.pem", "certificates/images.example.org.pem"]
    assert placeholders.inputs["paths"] == ["site.pem", *own]
    assert placeholders.urn in program.all_before(program.containers["edge"])
    assert program.containers["edge"].inputs["command"][:2] == ["sh", "/etc/nginx/slipway/follow"]
    for path in own:
        assert f"ssl_certificate /etc/nginx/tls/{path};" in routes(program)


def test_certbot_asks_for_nothing_before_the_release_and_never_twice_at_once() -> None:
    program = program_of("prod", ACME)
    certbot = program.containers["certbot"]
    assert program.of_kind("Release")["release"].urn in program.all_before(certbot)
    assert certbot.request.deleteBeforeReplace


@pytest.mark.parametrize(
    ("tls", "directory"),
    [
        ({"staging": True}, "https://acme-staging-v02.api.letsencrypt.org/directory"),
        ({"directory": "https://ca.test/acme"}, "https://ca.test/acme"),
    ],
)
def test_another_authority_may_issue(tls: dict[str, object], directory: str) -> None:
    edge = {"hosts": ["www.example.org"], "tls": {"mode": "acme", **tls}}
    command = run("prod", {**declared(ui=UI), "edge": edge}).containers["certbot"].inputs["command"]
    assert json.loads(command[-1])["directory"] == directory


def test_a_certificate_that_was_brought_along_reaches_nginx_as_a_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "services").symlink_to(Path("services").resolve())
    (tmp_path / "tls").mkdir()
    now = datetime.now(UTC)
    pair = certificates.issue(certificates.authority("Test", now), ["www.example.org"], now)
    (tmp_path / "tls/chain.pem").write_text(pair.certificate)
    (tmp_path / "tls/key.pem").write_text(pair.key)
    tls = {"mode": "files", "certificate": "tls/chain.pem", "key": "tls/key.pem"}
    edge = {"hosts": ["www.example.org"], "tls": tls}
    program = run("prod", {**declared(ui=UI), "edge": edge}, root=tmp_path)
    files = program.of_kind("FilesVolume")["edge-tls"].inputs["files"]
    assert files == dict.fromkeys(("site.pem", "certificates/www.example.org.pem"), pair.combined)
    assert f"# certificate {certificates.fingerprint(pair.certificate)}" in routes(program)
    assert not program.of_kind("LocalCertificate")
    key = pair.key.splitlines()[1]
    for urn, each in program.resources.items():
        assert key not in "".join(each.in_plain), urn


@pytest.mark.parametrize(("before", "after"), [("acme", "self-signed"), ("self-signed", "acme")])
def test_a_new_nginx_finds_the_certificates_that_the_routes_of_another_mode_name(before: str, after: str) -> None:
    edge = {"hosts": ["www.example.org"]}
    old, new = (run("prod", {**declared(ui=UI), "edge": {**edge, "tls": tls}}) for tls in (before, after))
    named = set(re.findall(r"ssl_certificate /etc/nginx/tls/(\S+);", routes(old)))
    if after == "acme":
        there = set(new.of_kind("Placeholders")["edge-tls-placeholders"].inputs["paths"])
    else:
        there = set(new.of_kind("FilesVolume")["edge-tls"].inputs["files"])
    assert named
    assert named <= there


@pytest.mark.parametrize(("before", "after"), [("self-signed", "off"), ("acme", "off"), ("off", "self-signed")])
def test_a_new_nginx_starts_with_what_the_release_of_before_wrote_for_it(before: str, after: str) -> None:
    old, new = (run("prod", {**declared(ui=UI), "edge": {"hosts": ["a.test"], "tls": tls}}) for tls in (before, after))
    main = new.of_kind("FilesVolume")["edge-config"].inputs["files"][nginx_main.MAIN_FILE]
    files: dict[str, str] = old.of_kind("Release")["release"].inputs["routes"]
    read = "".join(
        text for name, text in files.items() if f"include {LIVE}/{name.removesuffix('.conf')}*.conf;" in main
    )
    assert "proxy_pass http://ui_" in read
    assert "listen 80" in read
    assert "ssl" not in read


@pytest.mark.parametrize(("tls", "who"), [("self-signed", "edge-certificate"), ("acme", "certbot")])
def test_a_rotated_key_is_asked_for_from_whoever_makes_it_and_nginx_stays(tls: str, who: str) -> None:
    edge = {"hosts": ["www.example.org"], "tls": tls}
    before, after = (
        run("prod", {**declared(ui=UI), "edge": edge, "rotations": {"edge": {"tls": count}}}) for count in (0, 1)
    )
    assert before.resources.keys() == after.resources.keys()
    local = after.of_kind("LocalCertificate")["edge-certificate"].inputs
    assert local["generation"] == 1
    if tls == "acme":
        assert json.loads(after.containers["certbot"].inputs["command"][-1])["generation"] == 1
    different = {each.logical for urn, each in after.resources.items() if each.inputs != before.resources[urn].inputs}
    assert different == {"edge-certificate", who}
    [recorded] = [each for urn, each in after.registered_outputs.items() if "components:Secrets::" in urn]
    assert recorded["rotations"].get("edge") == {"tls": 1}


@pytest.mark.parametrize("site", ["as shipped", "two hosts"])
def test_without_tls_nothing_of_it_is_there(site: str) -> None:
    program = program_of("prod", site)
    kinds = {each.kind for each in program.resources.values()}
    assert not kinds & {"Certificates", "Certbot", "LocalCertificate", "Placeholders"}
    assert "443" not in routes(program)
