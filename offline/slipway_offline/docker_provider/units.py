"""The notations that Docker programs use: Go durations, decimal processor counts, label lists, mebibytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

MEBIBYTE = 2**20
NANOSECONDS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
UNIT = r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)"


def duration(text: str) -> int:
    """Nanoseconds of a Go duration such as "1m30s". Raises ValueError for anything else; negative ones included."""
    if text in ("", "0"):
        return 0
    if not re.fullmatch(f"({UNIT})+", text):
        raise ValueError(f'"{text}" is not a duration such as "30s" or "1m30s"')
    return int(sum(Decimal(number) * NANOSECONDS[unit] for number, unit in re.findall(UNIT, text)))


def go_duration(nanoseconds: int) -> str:
    """A duration as Go prints it: "1m0s", "1.5s", "300ms"."""
    if nanoseconds < NANOSECONDS["s"]:
        unit = next((unit for unit in ("ms", "µs", "ns") if nanoseconds >= NANOSECONDS[unit]), "s")
        return f"{_plain(Decimal(nanoseconds) / NANOSECONDS[unit])}{unit}"
    minutes, rest = divmod(nanoseconds, NANOSECONDS["m"])
    seconds = f"{_plain(Decimal(rest) / NANOSECONDS['s'])}s"
    if not minutes:
        return seconds
    return (f"{minutes // 60}h" if minutes >= 60 else "") + f"{minutes % 60}m{seconds}"


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def nano_cpus(text: str) -> int:
    """Billionths of a processor in "0.5"."""
    return int(Decimal(text) * 10**9)


def as_read(cpus: str) -> str:
    """A processor count as the genuine plugin reads it back: "1.0" for "1", and a mangled "10." for "10.0"."""
    digits = f"{Decimal(nano_cpus(cpus)) / 10**9:.9f}"
    return f"{Decimal(digits):.1f}" if digits.count("0") == 9 else digits.rstrip("0")


def mebibytes(amount: int | None) -> int | None:
    """Bytes; what is not positive has a meaning of its own to the engine and stays."""
    return amount * MEBIBYTE if amount is not None and amount > 0 else amount


def to_mebibytes(count: int) -> int:
    return count // MEBIBYTE if count > 0 else count


def labels(items: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """Labels as the engine wants them."""
    return {item["label"]: item["value"] for item in items or ()}


def label_list(mapping: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """Labels as the program writes them."""
    return [{"label": key, "value": value} for key, value in sorted((mapping or {}).items())]
