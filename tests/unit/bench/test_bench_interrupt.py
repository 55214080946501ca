"""What a bench does when it is terminated."""

from __future__ import annotations

import signal

import pytest

from bench import interrupt


def test_a_bench_that_is_terminated_ends_as_from_the_keyboard() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        interrupt.on_sigterm()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
