"""The TLS clients of these tests."""

from __future__ import annotations

import ssl

import pytest

from tests.support.tls import trusting
from tests.unit.declaring import GOOD


def test_a_context_that_others_use_is_not_changed_by_a_new_connection() -> None:
    context, sent = trusting(GOOD.certificate), ssl.MemoryBIO()
    context.set_alpn_protocols(["h2"])
    connection = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname="shop.test")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    hello = sent.read()
    assert b"\x00\x09\x08http/1.1" in hello
    assert b"\x02h2" not in hello
