"""BuildKit's progress messages, decoded by hand."""

from __future__ import annotations

import base64

import pytest
from slipway_offline.docker_provider.buildkit import fields, lines, varint


def number(value: int) -> bytes:
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def piece(field: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return number(field << 3) + number(value)
    return number(field << 3 | 2) + number(len(value)) + value


def trace(*parts: bytes) -> dict[str, str]:
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"".join(parts)).decode()}


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32, 2**63])
def test_a_number_is_read_to_its_end(value: int) -> None:
    assert varint(number(value) + b"rest", 0) == (value, len(number(value)))


def test_every_kind_of_field_is_stepped_over() -> None:
    message = piece(1, 300) + b"\x11" + b"8bytes.." + piece(3, b"text") + b"\x25" + b"four" + piece(40, b"")
    assert list(fields(message)) == [(1, 300), (2, b"8bytes.."), (3, b"text"), (4, b"four"), (40, b"")]


def test_a_step_is_named_when_it_begins_and_not_when_it_ends() -> None:
    begins = piece(1, b"sha256:1") + piece(3, b"[2/3] RUN make") + piece(5, b"now")
    ends = begins + piece(6, b"later")
    waits = piece(1, b"sha256:1") + piece(3, b"[3/3] COPY")
    assert lines(trace(piece(1, begins), piece(1, ends), piece(1, waits))) == ["[2/3] RUN make"]


def test_output_is_shown_line_by_line_without_empty_ones() -> None:
    log = piece(1, b"sha256:1") + piece(3, 1) + piece(4, "one\n\ntwo ä\n".encode())
    assert lines(trace(piece(3, log), piece(2, b"status"))) == ["one", "two ä"]


def test_other_events_show_nothing() -> None:
    assert lines({"id": "moby.image.id", "aux": {"ID": "sha256:1"}}) == []
