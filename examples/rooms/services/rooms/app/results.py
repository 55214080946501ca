"""How a use case ended. Whoever shows it decides what that looks like; nothing here knows HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

T = TypeVar("T")


class Reason(Enum):
    """Why a use case failed: a wrong question, nothing there, or a fault of our own."""

    PARAMETERS = auto()
    MISSING = auto()
    SYSTEM = auto()


@dataclass(frozen=True)
class Success(Generic[T]):
    value: T


@dataclass(frozen=True)
class Failure:
    """`messages` are for the one who asked."""

    reason: Reason
    messages: tuple[str, ...]


Result = Success[T] | Failure
