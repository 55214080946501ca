"""The image of one service, built from its folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_docker as docker

from components.context import Context
from slipway.core import dockerfile, own_dockerfile, records
from slipway.core.generic_build import Recipe
from slipway.providers.images import ImageTag
from slipway.site.site import Service

PROGRAM = Path(__file__).resolve().parents[1]
"""Where Pulumi runs the program and its plugins: relative paths start there, not at a site that is elsewhere."""


@dataclass(frozen=True, kw_only=True)
class ServiceImageArgs:
    """`folder` is relative to the program; `base` is what the Dockerfile starts from; `target` is the stage to build,
    where it has one of that name, else it is the last. `existing` is the id of an image that is taken instead."""

    context: Context
    service: str
    folder: str
    base: str
    target: str | None = None
    existing: str | None = None


class ServiceImage(pulumi.ComponentResource):
    """Owns one built image; `image_id` changes exactly when a new build gives another image.

    Nothing is pushed, and the engine's own platform is written out: by default Pulumi builds for the client's. A folder
    without a Dockerfile is built by the generic one.

    While the stack is pinned to a release there is nothing to build and so no docker.Image: Pulumi forgets the one of
    the newest source, which leaves its image on the engine, and makes it anew, from the build cache, when the pin ends.
    """

    image_id: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("slipway:components:ServiceImage", name, None, opts)
        self.image_id = pulumi.Output.from_input(args.existing) if args.existing else self._built(name, args)
        self.register_outputs({"image_id": self.image_id})

    @classmethod
    def of(cls, context: Context, service: Service, opts: pulumi.ResourceOptions) -> ServiceImage:
        """The image of a service that has a folder; a ready-made one is not asked for."""
        site = context.site
        # Relative, so that a state made from one checkout says the same in another.
        folder = os.path.relpath(site.root.resolve() / (service.path or ""), PROGRAM)
        args = ServiceImageArgs(
            context=context,
            service=service.name,
            folder=folder,
            base=site.base_images.python,
            target=site.profile.target,
            existing=site.pin.images[service.name] if site.pin else None,
        )
        return cls(context.name(service.name), args, opts)

    def _built(self, name: str, args: ServiceImageArgs) -> pulumi.Output[str]:
        site, child = args.context.site, pulumi.ResourceOptions(parent=self)
        folder, stage = PROGRAM / args.folder, args.target
        if (own := folder / "Dockerfile").is_file():
            file, text = f"{args.folder}/Dockerfile", own.read_text()
            stage = dockerfile.target(text, stage) if stage else None
            for what in own_dockerfile.warnings(args.service, folder, text) if site.profile.hardened else ():
                pulumi.log.warn(what, self)
        else:
            file = Recipe.of(folder).written(PROGRAM)
        image = docker.Image(
            name,
            image_name=f"{name}:latest",
            skip_push=True,
            build=docker.DockerBuildArgs(
                context=args.folder,
                dockerfile=file,
                args={"BASE": args.base},
                target=stage,
                platform=args.context.platform,
            ),
            opts=child,
        )
        image_id = image.repo_digest
        ImageTag(
            f"{name}-tag",
            engine=args.context.engine,
            image=image_id,
            repository=records.repository(site.project, site.stack, args.service),
            opts=child,
        )
        return image_id
