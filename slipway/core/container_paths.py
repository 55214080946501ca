"""Where things are in the containers."""

from __future__ import annotations

SOURCE = "/home/app/web"
"""An app's source: baked into the image, or bind-mounted over it in dev."""
SECRETS = "/run/slipway"
"""A service's secret files, which slipway/images/flask/exec exports."""
GUNICORN = f"{SECRETS}/gunicorn"
"""What gunicorn finds its worker in (slipway/images/flask/slipway_worker.py)."""
TLS = "/srv/tls"
"""Certificates that nginx and certbot share."""
TMP = "/tmp"  # noqa: S108 - a tmpfs of the container's own
SPOOL = "/var/tmp"  # noqa: S108 - a volume of the container's own
"""For temporary files on disk (Filesystem Hierarchy Standard 3.0, 5.15): images have it, open to every user."""
