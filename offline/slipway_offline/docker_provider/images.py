"""Finding images on the engine, and pulling those that are not there."""

from __future__ import annotations

from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils import parse_repository_tag

from slipway_offline.resource import OperationError, Values

from .engine import Engine, reason


def available(engine: Engine, name: str, platform: str | None = None) -> Values:
    """The image `name` (or id), which is pulled if it is not on the engine. Raises OperationError when it cannot be.

    Credentials for a private registry are the ones of `docker login`.
    """
    try:
        return engine.image(name)
    except ImageNotFound:
        if name.startswith("sha256:"):
            raise OperationError(
                f"image {name} is not on this engine; to build it again: pulumi up --replace <URN of its docker.Image>"
            ) from None
        pull(engine, name, platform)
        return engine.image(name)


def pull(engine: Engine, name: str, platform: str | None) -> None:
    repository, tag = parse_repository_tag(name)
    try:
        for event in engine.pull(repository, tag=tag or "latest", platform=platform, stream=True, decode=True):
            if "error" in event:
                raise OperationError(f"image {name} is not on this engine and cannot be pulled: {event['error']}")
    except APIError as error:
        raise OperationError(f"image {name} is not on this engine and cannot be pulled: {reason(error)}") from error
    except DockerException as error:  # a name that is none, credentials that cannot be read
        raise OperationError(f"image {name} cannot be pulled: {error}") from error
