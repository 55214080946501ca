"""certbot itself, patient with an authority that refuses nonces: `python patient.py certonly …`."""

from __future__ import annotations

import sys
from typing import Any

from acme import client, messages
from certbot.main import main

NONCES = 20
"""Times that one request is made: an authority may refuse any nonce and hand out another. certbot gives up after two,
and an order takes ten requests."""


def post(self: Any, *args: Any, **kwargs: Any) -> Any:
    """In the place of acme's own, which makes one more attempt."""
    for _ in range(NONCES - 1):
        try:
            return self._post_once(*args, **kwargs)
        except messages.Error as error:
            if error.code != "badNonce":
                raise
    return self._post_once(*args, **kwargs)


if __name__ == "__main__":
    client.ClientNetwork.post = post
    ended = main(sys.argv[1:])
    sys.exit(1 if isinstance(ended, str) else ended or 0)
