"""Durations as Go prints them: the engine hands them back that way, and any other spelling is an eternal difference."""

from __future__ import annotations


def go_duration(seconds: float) -> str:
    """Such as 500ms, 5s, 1m0s or 1h0m0s. Raises ValueError below zero and for parts smaller than a millisecond."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 0 or abs(milliseconds - seconds * 1000) > 1e-6:
        raise ValueError(f"not a duration in whole milliseconds: {seconds}")
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest // 1000}" + (f".{rest % 1000:03d}".rstrip("0") if rest % 1000 else "") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
