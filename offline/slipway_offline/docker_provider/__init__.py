"""The `docker` resource plugin through docker-py: Network, Volume, Container, Image and RemoteImage.

Same type tokens, ids, property names, defaults and rules for replacement as pulumi-docker 5.2.0, so that a program runs
unchanged on either. What it does not support it refuses, naming the property."""
