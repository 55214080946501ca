"""A TLS server as a client sees it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx
from cryptography import x509

PAUSE = 0.05
"""Seconds between two requests of one client; three of them make about fifty requests in a second."""
CLIENTS = 3


class SharedContext(ssl.SSLContext):
    """A context that several threads may use at once.

    httpcore tells a context the protocols anew for each connection. OpenSSL puts the new list in the old one's place
    while another thread may be copying that for its own connection (SSL_CTX_set_alpn_protos: a context must not be
    changed once it is in use): about one handshake in a million then named garbage, and nginx refused it with
    `decode error`.
    """

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """They are set already."""


def trusting(*authorities: str) -> ssl.SSLContext:
    """A client of HTTP/1.1 that trusts these authorities (PEM) and no others."""
    context = SharedContext(ssl.PROTOCOL_TLS_CLIENT)
    ssl.SSLContext.set_alpn_protocols(context, ["http/1.1"])
    context.load_verify_locations(cadata="\n".join(authorities))
    return context


def served(address: str, port: int, name: str) -> x509.Certificate:
    """The certificate that a server shows for a name, whoever signed it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((address, port), timeout=10) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)


@dataclass
class Visits:
    """What clients met: how many answers of each certificate's serial number (kept connections stay with theirs), and
    every failure as a line."""

    requests: int = 0
    failures: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


@contextmanager
def visited(url: str, context: ssl.SSLContext, name: str) -> Iterator[Visits]:
    """Asks until the block ends: one client keeps its connection, the others open a new one for each request. `name` is
    the site's, `url` may hold an address."""
    visits, ended, lock = Visits(), threading.Event(), threading.Lock()
    extensions = {"sni_hostname": name}

    def ask(client: httpx.Client | None) -> str:
        try:
            with ExitStack() as stack:
                used = client or stack.enter_context(httpx.Client(verify=context, timeout=30))
                status = used.get(url, headers={"Host": name}, extensions=extensions).status_code
        except httpx.TransportError as error:
            return f"{time.strftime('%T')} {type(error).__name__}: {error}"
        visits.statuses[status] += 1
        return "" if status == httpx.codes.OK else f"{time.strftime('%T')} status {status}"

    def visit(number: int) -> None:
        with ExitStack() as stack:
            kept = stack.enter_context(httpx.Client(verify=context, timeout=30)) if number == 0 else None
            while not ended.wait(PAUSE):
                problem = ask(kept)
                with lock:
                    visits.requests += 1
                    visits.failures += [problem] if problem else []

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield visits
    finally:
        ended.set()
        for thread in threads:
            thread.join()
