"""`[release]`: where images are published, for which platforms, under which tags, and what follows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hullmark._settings.kinds import (
    COMMAND,
    DURATION,
    FLAG,
    TEXT,
    TEXTS,
    Alternative,
    Kind,
    Option,
    Table,
    choice,
    describe,
)
from hullmark.model.finding import Severity
from hullmark.model.release import CommandTrigger, ReleaseSettings, WebhookTrigger, WorkflowTrigger
from hullmark.model.version import MOVING
from hullmark.model.vulnerability import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._settings.positions import Path as KeyPath
    from hullmark.model.location import SourceSpan
    from hullmark.model.release import Trigger

_PLATFORM = "[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?"
_LABEL = "[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = "[A-Za-z0-9][A-Za-z0-9._/-]*"
_WORKFLOW = r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+\.ya?ml"


def _platforms(value: Any) -> tuple[str, ...]:
    if (
        not isinstance(value, list | tuple)
        or not value
        or not all(isinstance(each, str) and re.fullmatch(_PLATFORM, each) for each in value)
    ):
        raise ValueError(f'expected a list of platforms such as ["linux/amd64"], got {describe(value)}')
    return tuple(dict.fromkeys(value))


def _tags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(each in MOVING for each in value):
        raise ValueError(f"expected a list of {', '.join(f'`{each}`' for each in MOVING)}")
    return tuple(dict.fromkeys(value))


def _runners(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list | tuple) or not all(
        isinstance(each, str) and re.fullmatch(f"{_PLATFORM}={_LABEL}", each) for each in value
    ):
        raise ValueError(
            f'expected a list of PLATFORM=RUNNER such as ["linux/arm64=ubuntu-24.04-arm"], got {describe(value)}'
        )
    pairs = (each.partition("=") for each in value)
    return tuple({platform: runner for platform, _, runner in pairs}.items())


def _environment(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_NAME, value):
        raise ValueError(f"expected the name of an environment, such as `release`, got {describe(value)}")
    return value


def _url(value: Any) -> str:
    if (
        not isinstance(value, str)
        or urlsplit(value).scheme not in {"http", "https"}
        or not urlsplit(value).hostname
    ):
        raise ValueError(f"expected a URL with `https://`, got {describe(value)}")
    return value


def _workflow(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_WORKFLOW, value):
        raise ValueError(f"expected OWNER/REPOSITORY/FILE.yml, got {describe(value)}")
    return value


_PLATFORMS = Kind(
    name="list of platforms",
    read=_platforms,
    schema={"type": "array", "items": {"type": "string", "pattern": f"^{_PLATFORM}$"}, "minItems": 1},
    scalar=False,
)
_TAGS = Kind(
    name="list of " + " | ".join(MOVING),
    read=_tags,
    schema={"type": "array", "items": {"enum": list(MOVING)}},
    scalar=False,
)
_URL = Kind(name="address", read=_url, schema={"type": "string", "pattern": "^https?://[^/?#]"})
_RUNNERS = Kind(
    name="list of PLATFORM=RUNNER",
    read=_runners,
    schema={"type": "array", "items": {"type": "string", "pattern": f"^{_PLATFORM}={_LABEL}$"}},
    scalar=False,
)
_ENVIRONMENT = Kind(name="name", read=_environment, schema={"type": "string", "pattern": f"^{_NAME}$"})
_WORKFLOW_FILE = Kind(
    name="OWNER/REPOSITORY/FILE.yml", read=_workflow, schema={"type": "string", "pattern": f"^{_WORKFLOW}$"}
)

_TRIGGERS = Table(
    key="triggers",
    array=True,
    help="What is set off once a release is published, one after the other.",
    options=(
        Option(
            key="command",
            kind=COMMAND,
            help="A program, started in the project's directory with the release in its environment.",
            example='["scripts/announce"]',
        ),
        Option(
            key="webhook",
            kind=_URL,
            help="A URL that is sent the release as JSON: version, commit, tags, and the digests of each service.",
            example='"https://example.com/hooks/release"',
        ),
        Option(
            key="secret",
            kind=TEXT,
            help="The environment variable with the key that the webhook is signed by.",
            default="not signed",
            example='"RELEASE_HOOK_SECRET"',
        ),
        Option(
            key="workflow",
            kind=_WORKFLOW_FILE,
            help="A workflow of GitHub that is dispatched with the input `version`.",
            example='"acme/cli/build.yml"',
        ),
        Option(key="ref", kind=TEXT, help="The branch or tag of the workflow.", default="main"),
        Option(
            key="token",
            kind=TEXT,
            help="The environment variable with the token for GitHub.",
            default="GITHUB_TOKEN",
        ),
        Option(key="timeout", kind=DURATION, help="Time that one attempt may take.", default="60 s"),
    ),
    alternatives=(
        Alternative(key="command"),
        Alternative(key="webhook", fits=("secret",)),
        Alternative(key="workflow", fits=("ref", "token")),
    ),
)

RELEASE = Table(
    key="release",
    help="What `hullmark release` builds and publishes. See [release.md](release.md).",
    options=(
        Option(
            key="registry",
            kind=TEXT,
            help="The registry, and where in it: stands before the names of images that name no registry themselves.",
            environment="HULLMARK_REGISTRY",
            flag="--registry",
            example='"registry.example.com/acme"',
        ),
        Option(
            key="platforms",
            kind=_PLATFORMS,
            help="The platforms of each image.",
            default="this machine's",
            environment="HULLMARK_PLATFORMS",
            example='["linux/amd64", "linux/arm64"]',
        ),
        Option(
            key="services",
            kind=TEXTS,
            help="The services whose images are published.",
            default="all that are built",
            example='["platform", "proxy"]',
        ),
        Option(
            key="tags",
            kind=_TAGS,
            help="The tags that move to the newest release: `latest`, `major` as in `1`, `minor` as in `1.4`.",
            default='["latest", "major", "minor"]',
        ),
        Option(
            key="builder",
            kind=TEXT,
            help="The builder of buildx; `docker buildx ls` lists those that there are.",
            default="the current one",
            environment="BUILDX_BUILDER",
            flag="--builder",
        ),
        Option(
            key="source",
            kind=_URL,
            help="Where the source code is, for `org.opencontainers.image.source`.",
            default="where `origin` of the repository leads to",
        ),
        Option(
            key="licenses",
            kind=TEXT,
            help="Under which licences the images are, by SPDX, for `org.opencontainers.image.licenses`.",
            example='"Apache-2.0"',
        ),
        Option(
            key="fail-on",
            kind=choice(*(str(each) for each in sorted(Severity, reverse=True))),
            help="The least severe finding that stops a release.",
            default="`fail-on` of `[policy]`",
        ),
        Option(
            key="scan-fail-on",
            kind=choice("never", *SEVERITIES[1:]),
            help="The least severe vulnerability that stops a release; with `never`, a scan that cannot be made does not "
            "stop it either.",
            default="`fail-on` of `[scan]`",
        ),
        Option(
            key="smoke",
            kind=FLAG,
            help="Whether the stack is started with exactly the images that are to be published.",
            default="true",
        ),
        Option(
            key="smoke-platforms",
            kind=choice("native", "all"),
            help="For which platforms the stack is started: this machine's, or all, which needs emulation.",
            default="native",
            environment="HULLMARK_SMOKE_PLATFORMS",
            flag="--smoke-platforms",
        ),
        Option(
            key="cache",
            kind=FLAG,
            help="Whether layers are cached in the registry, where the builder can do that.",
            default="true",
        ),
        Option(
            key="sbom",
            kind=FLAG,
            help="Whether a list of its software, as CycloneDX, is put beside each image in the registry.",
            default="true",
        ),
        Option(
            key="sign",
            kind=choice("auto", "always", "never"),
            help="Whether cosign signs what is published: where it is installed and has a key, always, or never.",
            default="auto",
            flag="--sign",
        ),
        Option(
            key="certificate-identity",
            kind=TEXT,
            help="Who has to have signed by identity, without a key, for `hullmark release verify`.",
            environment="HULLMARK_CERTIFICATE_IDENTITY",
            flag="--certificate-identity",
            example='"release@example.com"',
        ),
        Option(
            key="certificate-oidc-issuer",
            kind=_URL,
            help="Who has to have vouched for that identity.",
            environment="HULLMARK_CERTIFICATE_OIDC_ISSUER",
            flag="--certificate-oidc-issuer",
            example='"https://example.com"',
        ),
        Option(
            key="github-release",
            kind=TEXT,
            help="The repository on GitHub that gets a release with the notes.",
            example='"acme/shop"',
        ),
        Option(
            key="environment",
            kind=_ENVIRONMENT,
            help="The environment of the CI system that publishes; its rules, such as who has to approve, then hold.",
            example='"release"',
        ),
        Option(
            key="runners",
            kind=_RUNNERS,
            help="On which runner of the CI system the images for a platform are built.",
            default="GitHub's own for linux/amd64 and linux/arm64",
            example='["linux/riscv64=riscv"]',
        ),
    ),
    tables=(_TRIGGERS,),
)


def release_settings(values: Mapping[str, Any], span: Callable[[KeyPath], SourceSpan]) -> ReleaseSettings:
    """What the table `[release]` says; `span` tells where a key of the configuration stands."""
    defaults = ReleaseSettings()
    fail_on = values.get("fail-on")
    return ReleaseSettings(
        registry=values.get("registry"),
        platforms=values.get("platforms", defaults.platforms),
        services=values.get("services", defaults.services),
        tags=values.get("tags", defaults.tags),
        builder=values.get("builder"),
        source=values.get("source"),
        licenses=values.get("licenses"),
        fail_on=None if fail_on is None else Severity.parse(fail_on),
        scan_fail_on=values.get("scan-fail-on"),
        smoke=values.get("smoke", defaults.smoke),
        smoke_platforms=values.get("smoke-platforms", defaults.smoke_platforms),
        cache=values.get("cache", defaults.cache),
        sbom=values.get("sbom", defaults.sbom),
        sign=values.get("sign", defaults.sign),
        certificate_identity=values.get("certificate-identity"),
        certificate_oidc_issuer=values.get("certificate-oidc-issuer"),
        github_release=values.get("github-release"),
        environment=values.get("environment"),
        runners=values.get("runners", defaults.runners),
        triggers=tuple(
            _trigger(each, span(("release", "triggers", index)))
            for index, each in enumerate(values.get("triggers", []))
            if each is not None
        ),
    )


def _trigger(values: Mapping[str, Any], origin: SourceSpan) -> Trigger:
    timeout = values.get("timeout", 60.0)
    if "command" in values:
        return CommandTrigger(command=values["command"], timeout=timeout, origin=origin)
    if "webhook" in values:
        return WebhookTrigger(
            url=values["webhook"], secret=values.get("secret"), timeout=timeout, origin=origin
        )
    return WorkflowTrigger(
        workflow=values["workflow"],
        ref=values.get("ref", "main"),
        token=values.get("token", "GITHUB_TOKEN"),
        timeout=timeout,
        origin=origin,
    )
