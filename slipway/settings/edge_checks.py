"""What must be right about TLS, limits and paths at the edge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from pydantic.alias_generators import to_camel

from slipway.core import certificates
from slipway.nginx import pages, uwsgi
from slipway.settings.fields import is_url_path
from slipway.settings.problems import Problem, and_type, set_config, write_service
from slipway.site.edge import TlsMode
from slipway.site.protocol import Protocol
from slipway.site.site import Site

OF_MODE = {
    "certificate": TlsMode.FILES,
    "key": TlsMode.FILES,
    "email": TlsMode.ACME,
    "staging": TlsMode.ACME,
    "directory": TlsMode.ACME,
    "ca_bundle": TlsMode.ACME,
}
WRITE_FILES = (
    "Write in the stack's file:",
    "  edge:",
    "    tls: {mode: files, certificate: tls/fullchain.pem, key: tls/privkey.pem}",
)
"""`pulumi config set --path` cannot make a table of a word."""


def everything(site: Site) -> list[Problem]:
    """All problems of the edge."""
    return [problem for check in CHECKS for problem in check(site)]


def _remove(path: str) -> str:
    return f"Type: pulumi config rm --path {path}"


def _stray(site: Site) -> Iterator[Problem]:
    """Keys that mean nothing in the mode that was chosen."""
    settings = site.edge.tls
    for key, mode in OF_MODE.items():
        if getattr(settings, key) and settings.mode is not mode:
            path = f"edge.tls.{to_camel(key)}"
            fix = (_remove(path), and_type(set_config("edge.tls.mode", mode)).replace("      ", "   or ", 1))
            yield Problem(path=path, what=f"belongs to the mode {mode}, and the mode is {settings.mode}", fix=fix)
    if settings.hsts and not settings.on:
        what = "would be said over plain HTTP, where browsers ignore it; the mode is off"
        yield Problem(path="edge.tls.hsts", what=what, fix=(_remove("edge.tls.hsts"),))


def _ports(site: Site) -> Iterator[Problem]:
    if site.edge.tls.on and site.edge.tls_port == site.edge.port:
        what = f"{site.edge.port} is edge.port, which plain HTTP goes on using to redirect"
        free = 8443 if site.edge.port != 8443 else 443
        yield Problem(path="edge.tlsPort", what=what, fix=(set_config("edge.tlsPort", free),))


def _files(site: Site) -> Iterator[Problem]:
    settings = site.edge.tls
    if settings.mode is not TlsMode.FILES:
        return
    texts: list[str] = []
    for key, example in (("certificate", "tls/fullchain.pem"), ("key", "tls/privkey.pem")):
        path, file = f"edge.tls.{key}", getattr(settings, key)
        if not file:
            what = "is missing: the mode files needs a certificate and its key"
            yield Problem(path=path, what=what, fix=WRITE_FILES)
        elif (text := read(site.root / file)) is None:
            what = f"there is no file {file} in the project's folder"
            yield Problem(path=path, what=what, fix=(set_config(path, example),))
        else:
            texts.append(text)
    if len(texts) == 2:
        chain, private = texts
        names = sorted(host for hosts in site.hosts() for host in hosts)
        for what in certificates.problems(chain, private, names, datetime.now(UTC)):
            fix = (f"Put the chain, leaf first, into {settings.certificate}, and its key into {settings.key}.",)
            yield Problem(path="edge.tls.certificate", what=what, fix=fix)


def _acme(site: Site) -> Iterator[Problem]:
    settings = site.edge.tls
    if not site.acme:
        return
    if not all(site.hosts()) or not site.hosts():
        what = "an authority certifies names, and the services without a `host` answer to every name"
        yield Problem(path="edge.hosts", what=what, fix=(set_config("edge.hosts[0]", "www.example.org"),))
    for host in [host for hosts in site.hosts() for host in hosts if "." not in host and not settings.directory]:
        what = f"{host} is a name that no public authority certifies"
        fix = (set_config("edge.tls", TlsMode.SELF_SIGNED), "or name a public domain.")
        yield Problem(path="edge.tls.mode", what=what, fix=fix)
    if settings.staging and settings.directory:
        what = "is Let's Encrypt's test server, and edge.tls.directory names another authority"
        yield Problem(path="edge.tls.staging", what=what, fix=(_remove("edge.tls.staging"),))


def _bundle(site: Site) -> Iterator[Problem]:
    if not site.acme or not (file := site.edge.tls.ca_bundle):
        return
    try:
        x509.load_pem_x509_certificates((read(site.root / file) or "").encode())
    except ValueError:
        what = f"there is no file {file} with certificates in PEM form in the project's folder"
        yield Problem(path="edge.tls.caBundle", what=what, fix=(set_config("edge.tls.caBundle", "tls/ca.pem"),))


def _limits(site: Site) -> Iterator[Problem]:
    for path, rate in site.edge.rate_limits.items():
        if not is_url_path(path):
            fix = (
                "Write in the stack's file:",
                *("  edge:", "    rateLimits:", f"      /{path.strip('/').split('/')[0] or 'login'}: {rate}"),
            )
            what = "must be a plain path that begins with a slash, such as /login"
            yield Problem(path=f'edge.rateLimits["{path}"]', what=what, fix=fix)


def _header_lines(site: Site) -> Iterator[Problem]:
    spoken = [service.name for service in site.services.values() if site.protocol(service) is Protocol.UWSGI]
    if spoken and site.edge.max_header > uwsgi.LONGEST_LINE:
        what = (
            f"{' and '.join(spoken)} is asked by uwsgi, where all of a request has to fit into 64 KiB: four lines of "
            f"{site.edge.max_header} KiB, of which the first is passed on twice, do not"
        )
        fix = (
            set_config("edge.maxHeader", uwsgi.LONGEST_LINE),
            "or let nginx speak HTTP with it.",
            *write_service(spoken[0], "protocol", value="http"),
        )
        yield Problem(path="edge.maxHeader", what=what, fix=fix)


def _idempotent(site: Site) -> Iterator[Problem]:
    for service in site.services.values():
        path = f"services.{service.name}.idempotent"
        if service.idempotent and not service.http:
            what = "it does not speak HTTP, so there is nothing to send again"
            yield Problem(path=path, what=what, fix=(f"In Pulumi.yaml, services.{service.name}: remove `idempotent:`",))
        if len(set(service.idempotent)) < len(service.idempotent):
            fix = write_service(service.name, "idempotent", value=list(dict.fromkeys(service.idempotent)))
            yield Problem(path=path, what="names a path twice", fix=fix)
        for each in service.idempotent:
            if not is_url_path(each):
                fix = write_service(service.name, "idempotent", value=[f"/{each.strip('/').split('/')[0] or 'login'}"])
                yield Problem(path=path, what=f"{each!r} must be a plain path that begins with a slash", fix=fix)


def _pages(site: Site) -> Iterator[Problem]:
    for page, file in site.edge.pages.items():
        path, where = f"edge.pages.{to_camel(page)}", site.root / file
        try:
            size, text = where.stat().st_size, where.read_text()
        except (OSError, UnicodeDecodeError):
            what = f"there is no HTML file {file} in the project's folder"
        else:
            if size <= pages.LONGEST and text:
                continue
            what = f"{file} has {size} bytes; a page has 1 to {pages.LONGEST}"
        yield Problem(path=path, what=what, fix=(f"Type: pulumi config rm --path {path}",))


def read(file: Path) -> str | None:
    """The file's text; None when there is none that can be read."""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return None


CHECKS = (_stray, _ports, _files, _acme, _bundle, _limits, _header_lines, _idempotent, _pages)
