"""Slipway: Flask services to production on Docker, as one Pulumi program."""
