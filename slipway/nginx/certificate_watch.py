"""How nginx in its container follows certificates that certbot renews beside it."""

from __future__ import annotations

from slipway.nginx.tls import CERTIFICATES, FOLDER

SCRIPT = "follow"
"""The script's name; it is started with nginx's own command as arguments and becomes it."""
PAUSE = 5
"""Seconds between two looks; a certificate is renewed days before it ends."""


def script(main: str) -> str:
    """`main` is the path of nginx.conf. A certificate is replaced by another file of the same name, so that the new one
    has another inode. nginx checks the whole configuration first; if that fails, it goes on as it was."""
    return f"""\
#!/bin/sh
certificates() {{
    stat -c '%n %i %Y' {FOLDER}/{CERTIFICATES}/*.pem
}}
follow() {{
    while sleep {PAUSE}; do
        now=$(certificates)
        if [ "$now" != "$seen" ] && nginx -t -q -c {main}; then
            nginx -s reload -c {main}
            echo "nginx takes new certificates" >&2
        fi
        seen=$now
    done
}}
seen=$(certificates)  # before nginx reads them, so that no later one is missed
follow &
exec "$@"
"""
