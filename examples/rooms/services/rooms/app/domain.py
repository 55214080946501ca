"""What the application is about."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room to rent: its size in square metres, its price per month in whole euros, its place in degrees."""

    code: UUID
    size: int
    price: int
    longitude: float
    latitude: float
