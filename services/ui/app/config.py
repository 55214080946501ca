"""Settings, read from environment variables.

| variable | meaning | default |
|---|---|---|
| SECRET_KEY | signs the session and the forms | none: it must be set |
| SECRET_KEY_FALLBACKS | former keys, whose signatures are still accepted: a list as JSON | [] |
| IMAGES_URL | base address of the images API, for this server | none: it must be set |
| IMAGES_PUBLIC_URL | the same for browsers that may fetch pictures there: /images | pictures pass through here |
| UI_TITLE | name of the site | Photos |
| PROXY_HOPS | proxies in front, whose X-Forwarded-For, -Proto and -Host are believed | 1 |
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """What `create_app` takes. Raises ValueError, naming the variables, where some are missing or wrong."""
    missing = [name for name in ("SECRET_KEY", "IMAGES_URL") if not environment.get(name)]
    if missing:
        raise ValueError(f"not set: {', '.join(missing)}")
    hops = environment.get("PROXY_HOPS") or "1"
    if not hops.isdecimal():
        raise ValueError(f"PROXY_HOPS is {hops!r}: write a whole number")
    return settings(
        secret=environment["SECRET_KEY"],
        former_secrets=_texts(environment, "SECRET_KEY_FALLBACKS"),
        images_url=environment["IMAGES_URL"],
        images_public_url=environment.get("IMAGES_PUBLIC_URL", ""),
        title=environment.get("UI_TITLE") or "Photos",
        proxy_hops=int(hops),
    )


def settings(
    *,
    secret: str,
    former_secrets: Sequence[str] = (),
    images_url: str,
    images_public_url: str = "",
    title: str = "Photos",
    proxy_hops: int = 1,
) -> dict[str, Any]:
    """The same from values."""
    return {
        "SECRET_KEY": secret,
        "SECRET_KEY_FALLBACKS": list(former_secrets),
        # The forms' own setting has no fallbacks, but takes a list of keys of which the last one signs.
        "WTF_CSRF_SECRET_KEY": [*former_secrets, secret],
        "SESSION_COOKIE_SAMESITE": "Lax",
        "IMAGES_URL": images_url.rstrip("/"),
        "IMAGES_PUBLIC_URL": images_public_url.rstrip("/"),
        "UI_TITLE": title,
        "PROXY_HOPS": proxy_hops,
        "WTF_CSRF_TIME_LIMIT": 24 * 3600,
    }


def _texts(environment: Mapping[str, str], name: str) -> list[str]:
    try:
        found = json.loads(environment.get(name) or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
        raise ValueError(f"{name} must be a list of texts as JSON")  # what it holds is secret
    return found
