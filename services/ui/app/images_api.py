"""The images API as the pages see it. Every call is safe to repeat, and is repeated while the service is restarting."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import httpx

PAUSES = (0.1, 0.3, 0.6)  # seconds before the second, third and fourth try
DOWN = {502, 503, 504}
LIMITS_HOLD = 60  # seconds


class NotFoundError(Exception):
    """There is no such picture."""


class UnavailableError(Exception):
    """The service does not answer, or not as it should."""


class RejectedError(Exception):
    """The service says no; the text says why, in words for people."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What the pages show of a picture."""

    id: uuid.UUID
    title: str
    description: str
    content_type: str
    width: int
    height: int
    bytes: int
    created_at: datetime

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Picture:
        return cls(
            id=uuid.UUID(item["id"]),
            created_at=datetime.fromisoformat(item["created_at"]),
            **{name: item[name] for name in ("title", "description", "content_type", "width", "height", "bytes")},
        )


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of pictures, the newest first. Without any picture there are 0 pages."""

    pictures: tuple[Picture, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an upload may be: bytes, pixels for each content type, and characters of the two texts."""

    bytes: int
    pixels: Mapping[str, int]
    title: int
    description: int


class ImagesApi:
    """Raises NotFoundError, RejectedError and UnavailableError, and nothing else on purpose."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        # No connection is kept: one that the other side is just closing could not be told from a lost answer.
        self._client = httpx.Client(
            base_url=url,
            transport=transport,
            trust_env=False,
            timeout=httpx.Timeout(20, connect=3),
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"Accept-Encoding": "identity"},
        )
        self._limits: tuple[float, Limits] | None = None

    def page(self, number: int) -> Page:
        found = self._json("GET", "/pictures", params={"page": number})
        pictures = tuple(Picture.of(item) for item in found["items"])
        return Page(pictures=pictures, number=found["page"], pages=found["pages"], total=found["total"])

    def picture(self, identity: uuid.UUID) -> Picture:
        return Picture.of(self._json("GET", f"/pictures/{identity}"))

    def limits(self) -> Limits:
        """Asked for once a minute."""
        now = time.monotonic()
        if self._limits is None or now - self._limits[0] > LIMITS_HOLD:
            found = self._json("GET", "/")["limits"]
            self._limits = now, Limits(**{name: found[name] for name in ("bytes", "pixels", "title", "description")})
        return self._limits[1]

    def upload(self, stream: IO[bytes], name: str, *, title: str, description: str, key: uuid.UUID) -> Picture:
        """With the same key and file it is the same picture, however often it is sent."""
        return Picture.of(
            self._json(
                "POST",
                "/pictures",
                headers={"Idempotency-Key": str(key)},
                data={"title": title, "description": description},
                files={"file": (name, stream)},
            )
        )

    def remove(self, identity: uuid.UUID) -> None:
        """A picture that another request has just removed is fine."""
        self._call("DELETE", f"/pictures/{identity}", also_fine={404})

    def file(self, identity: uuid.UUID, which: str, headers: Mapping[str, str]) -> httpx.Response:
        """The answer to a request for `file` or `thumbnail`, with its body unread: whoever asked must close it."""
        return self._call("GET", f"/pictures/{identity}/{which}", stream=True, headers=dict(headers), also_fine={304})

    def _json(self, method: str, path: str, **options: Any) -> Any:
        answer = self._call(method, path, **options)
        try:
            return answer.json()
        except ValueError:
            raise UnavailableError(f"{method} {path}: the answer is no JSON") from None

    def _call(
        self,
        method: str,
        path: str,
        *,
        stream: bool = False,
        also_fine: frozenset[int] | set[int] = frozenset(),
        **options: Any,
    ) -> httpx.Response:
        for pause in (*PAUSES, None):
            try:
                # A file is read from its beginning each time: httpx goes back there by itself.
                answer = self._client.send(self._client.build_request(method, path, **options), stream=stream)
            except httpx.TransportError as error:
                problem = f"{method} {path}: {type(error).__name__}"
            else:
                if answer.is_success or answer.status_code in also_fine:
                    return answer
                if answer.status_code not in DOWN:
                    _refuse(answer)
                answer.close()
                problem = f"{method} {path}: {answer.status_code}"
            if pause is not None:
                time.sleep(pause)
        raise UnavailableError(problem)


def _refuse(answer: httpx.Response) -> None:
    """Raises what a refusal means."""
    answer.read()
    answer.close()
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise NotFoundError
    try:
        message = str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = ""
    if (answer.is_client_error and message) or answer.status_code == httpx.codes.INSUFFICIENT_STORAGE:
        raise RejectedError(message or "There is no room left for pictures.")
    raise UnavailableError(f"{answer.request.method} {answer.request.url.path}: {answer.status_code}")
