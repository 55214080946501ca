"""`python -m slipway_offline.docker_provider ENGINE_ADDRESS`: what the CLI starts as `pulumi-resource-docker`."""

from slipway_offline.resource_provider import serve

from .provider import DockerProvider

if __name__ == "__main__":
    serve(DockerProvider)
