"""What the files of a CI system say of releases: on which machines, to which registry, and with which rights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.errors import UsageError
from hullmark.model.reference import parse_reference
from hullmark.model.release import WebhookTrigger, WorkflowTrigger

if TYPE_CHECKING:
    from hullmark.model.release import ReleaseSettings

RUNNERS = {"linux/amd64": "ubuntu-24.04", "linux/arm64": "ubuntu-24.04-arm"}
"""The runners of GitHub that need no emulation, by platform."""
_DEFAULT = ("linux/amd64",)
_TOKEN = "GITHUB_TOKEN"  # noqa: S105  # a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where the images for one platform are built and looked at."""

    platform: str
    runner: str
    """The label of a runner of GitHub."""
    tag: str
    """The tag of a runner of GitLab."""

    @property
    def name(self) -> str:
        """The platform, as a part of a name."""
        return self.platform.replace("/", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """How the images of one project are published."""

    registry: str
    """The host that images are pushed to."""
    machines: tuple[Machine, ...]
    environment: str | None
    signs: bool
    """Whether cosign has to sign what is published."""
    announces: bool
    """Whether GitHub gets a release with notes."""
    dispatches: bool
    """Whether a workflow is set off with the token of this one."""
    secrets: tuple[str, ...]
    """The variables with what triggers are signed by, or sent with."""


def publishing(settings: ReleaseSettings) -> Publishing | None:
    """How images are published; `None` where no registry is named.

    Raises `UsageError` where no runner is known for a platform.
    """
    if settings.registry is None:
        return None
    own = dict(settings.runners)
    runners = RUNNERS | own
    platforms = settings.platforms or _DEFAULT
    if missing := [each for each in platforms if each not in runners]:
        raise UsageError(
            f"no runner is known for {', '.join(missing)}",
            hint=f'name it: `runners = ["{missing[0]}=LABEL"]` in `[release]`',
        )
    try:
        registry = parse_reference(f"{settings.registry}/image").registry
    except ValueError as error:
        raise UsageError(f"`registry` of `[release]` is none: {error}") from error
    workflows = [each for each in settings.triggers if isinstance(each, WorkflowTrigger)]
    hooks = [each for each in settings.triggers if isinstance(each, WebhookTrigger)]
    names = {each.token for each in workflows} | {each.secret for each in hooks if each.secret}
    return Publishing(
        registry=registry,
        machines=tuple(
            Machine(
                platform=each, runner=runners[each], tag=own.get(each, f"docker-{each.replace('/', '-')}")
            )
            for each in platforms
        ),
        environment=settings.environment,
        signs=settings.sign == "always",
        announces=settings.github_release is not None,
        dispatches=any(each.token == _TOKEN for each in workflows),
        secrets=tuple(sorted(names - {_TOKEN})),
    )
