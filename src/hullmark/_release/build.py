"""Builds the images of a release and pushes them to where they wait for the gate; what came there is read back."""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from hullmark._checks.sharing import finish
from hullmark._dockerfile.service import recipe_of
from hullmark._engines.build import explain_failure
from hullmark._images.manifests import INDEXES, ImageManifest, Index, parse_manifest
from hullmark._images.platforms import Platform
from hullmark._release.configuration import read_configuration
from hullmark._release.definition import TARGET, definition
from hullmark.errors import ConfigurationError, DamagedImage, Unavailable, UsageError
from hullmark.model.duration import format_duration
from hullmark.model.location import shown
from hullmark.model.outcome import Check
from hullmark.model.release import staging_tag
from hullmark.model.staging import Attached, Staged

if TYPE_CHECKING:
    from hullmark._images.manifests import Descriptor
    from hullmark._release.registries import Registries
    from hullmark._release.undertaking import Undertaking
    from hullmark.model.release import PlannedService
    from hullmark.model.version import Version

_AT_ONCE = 4
_STEP = re.compile(r"#\d+ \[(?P<name>[^\]]+)\] (?P<text>.+)")
_ATTESTED = "vnd.docker.reference.digest"
"""The annotation by which an attestation says what it is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedImage:
    """An image that could not be built or pushed."""

    service: str
    platform: str
    error: str
    """In several lines: where, what, and what was printed last."""
    exit_code: int


def build(undertaking: Undertaking, platforms: tuple[str, ...]) -> tuple[FailedImage, ...]:
    """Builds and pushes every image for `platforms` that is not staged yet; those that fail.

    The state is written down after each image, so that no image is built twice because another one failed.
    """
    failed: list[FailedImage] = []
    lock = threading.Lock()

    def one(service: PlannedService, platform: str) -> None:
        started = time.monotonic()
        progress = undertaking.surroundings.progress
        name = f"{service.name} for {platform}"
        try:
            staged = _standing(undertaking, service, platform) or _stage(undertaking, service, platform)
        except _Failed as error:
            failed.append(FailedImage(service=service.name, platform=platform, error=error.text, exit_code=1))
        except (Unavailable, DamagedImage) as error:
            text = f"{error.message}\nhelp: {error.hint}" if error.hint else error.message
            failed.append(FailedImage(service=service.name, platform=platform, error=text, exit_code=3))
        else:
            with lock:
                _note(undertaking, service, staged)
            told = f"{staged.image[:19]} in {format_duration(time.monotonic() - started)}"
            progress.end(Check.BUILD, name, told, good=True)
            return
        progress.end(Check.BUILD, name, "failed", good=False)

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        futures = [
            pool.submit(one, service, platform)
            for platform in platforms
            for service in undertaking.wanted.services
        ]
        finish(futures, undertaking.surroundings)
    return tuple(sorted(failed, key=lambda each: (each.service, each.platform)))


class _Failed(Exception):
    """A build that the project is to blame for."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def _note(undertaking: Undertaking, service: PlannedService, staged: Staged) -> None:
    state = undertaking.state
    undertaking.save(
        replace(
            state,
            services=tuple(
                replace(
                    each,
                    images=tuple(
                        sorted(
                            (*(i for i in each.images if i.platform != staged.platform), staged),
                            key=lambda image: image.platform,
                        )
                    ),
                )
                if each.name == service.name
                else each
                for each in state.services
            ),
        )
    )


def _standing(undertaking: Undertaking, service: PlannedService, platform: str) -> Staged | None:
    """The image that an earlier attempt has pushed, where the registry still has it."""
    noted = next((each for each in undertaking.state.services if each.name == service.name), None)
    image = None if noted is None else noted.image(platform)
    if image is None or undertaking.registries.digest(service.repository, image.digest) is None:
        return None
    return image


def _stage(undertaking: Undertaking, service: PlannedService, platform: str) -> Staged:
    """Builds and pushes one image. Raises `_Failed` where its Dockerfile is to blame."""
    builder = undertaking.builder
    if builder is None:
        raise Unavailable("there is no builder")
    around, version = undertaking.surroundings, undertaking.version
    told = definition(
        undertaking.project,
        service,
        platform,
        version=version,
        commit=undertaking.wanted.commit,
        builder=builder,
    )
    name = f"{service.name} for {platform}"

    def watch(line: str) -> None:
        if step := _STEP.match(line):
            around.progress.begin(Check.BUILD, name, f"[{step['name']}] {step['text']}")

    around.progress.begin(Check.BUILD, name, "building")
    with tempfile.TemporaryDirectory(prefix="hullmark-") as directory:
        metadata = Path(directory) / "metadata.json"
        ran = around.commands.run(
            ("docker", "buildx", "bake", "--metadata-file", str(metadata), *told.arguments),
            cwd=undertaking.project.root,
            stdin=told.file,
            # The definition is the project's own; nobody needs to be asked whether it may read its files.
            env={"BUILDKIT_PROGRESS": "plain", "NO_COLOR": "1", "BUILDX_BAKE_ENTITLEMENTS_FS": "0"},
            on_line=watch,
        )
        if ran.returncode != 0:
            raise _failure(undertaking, service, f"{ran.stdout}\n{ran.stderr}")
        digest = _digest(metadata)
    staging = service.staging(version, platform)
    if builder.in_engine:
        # What is looked at from now on is what the registry has.
        around.commands.run(("docker", "image", "rm", staging))
    around.progress.begin(Check.BUILD, name, "reading back what was pushed")
    return read_back(undertaking.registries, service, version, platform, digest)


def _digest(metadata: Path) -> str:
    """The digest under which buildx says that it has pushed the image."""
    try:
        said = json.loads(metadata.read_bytes())[TARGET]["containerimage.digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(
            "buildx does not say under which digest it has pushed the image", hint="is it older than 0.10?"
        ) from error
    return str(said)


def _failure(undertaking: Undertaking, service: PlannedService, text: str) -> Exception:
    """Why a build failed; the last lines where BuildKit does not name an instruction."""
    project = undertaking.project
    declared = project.service(service.name)
    dockerfile = "" if declared.build is None else shown(PurePath(declared.build.dockerfile), project.root)
    try:
        recipe = recipe_of(declared, project.root)
    except (ConfigurationError, UsageError):
        recipe = None
    failed = explain_failure(text, dockerfile, recipe=recipe, service=TARGET)
    lines = [f"{failed.span}: {failed.message}", *(f"  {line}" for line in failed.output)]
    if failed.step:
        return _Failed("\n".join(lines))
    last = [line for line in text.splitlines() if line.strip()][-3:]
    return Unavailable(
        "\n".join((f"{service.name} could not be built or pushed:", *(f"  {each}" for each in last)))
    )


def read_back(
    registries: Registries, service: PlannedService, version: Version, platform: str, digest: str
) -> Staged:
    """What the registry has under `digest`, looked through: an image for `platform`, tagged as one that waits.

    Raises `DamagedImage` where it is anything else.
    """
    name = f"{service.repository}@{digest}"
    found = registries.fetch(service.repository, digest)
    if found is None:
        raise DamagedImage(f"{name} has been pushed, and the registry has no such thing")
    tag = staging_tag(version, platform)
    if registries.digest(service.repository, tag) != digest:
        registries.put(service.repository, found.content, found.media_type, tag)
    parsed = parse_manifest(found.content, name, found.media_type)
    image, attestations = digest, tuple[Attached, ...]()
    media_type, content = found.media_type, found.content
    if isinstance(parsed, Index):
        descriptor = _image_in(parsed, platform, name)
        image = descriptor.digest
        inner = registries.fetch(service.repository, image)
        if inner is None:
            raise DamagedImage(f"{name} lists {image}, and the registry has no such thing")
        media_type, content = inner.media_type, inner.content
        attestations = tuple(_attached(parsed, image))
        parsed = parse_manifest(content, f"{service.repository}@{image}", media_type)
    if not isinstance(parsed, ImageManifest):
        raise DamagedImage(f"{name} is no image but an index of indexes")
    _check_platform(registries, service, parsed, platform)
    return Staged(
        platform=platform,
        reference=f"{service.repository}:{tag}",
        digest=digest,
        image=image,
        media_type=media_type,
        size=len(content),
        attestations=attestations,
    )


def _image_in(index: Index, platform: str, name: str) -> Descriptor:
    """The one image of an index that a builder has made for one platform."""
    images = [each for each in index.manifests if each.leads_to_images and each.media_type not in INDEXES]
    wanted = [
        each for each in images if each.platform is None or str(each.platform.known() or platform) == platform
    ]
    if len(wanted) != 1:
        raise DamagedImage(f"{name} holds {len(wanted)} images for {platform}; expected one")
    return wanted[0]


def _attached(index: Index, image: str) -> list[Attached]:
    """What is attested of the image."""
    return [
        Attached(
            digest=each.digest,
            media_type=each.media_type,
            size=each.size,
            annotations=tuple(sorted((each.annotations or {}).items())),
        )
        for each in index.manifests
        if (each.annotations or {}).get(_ATTESTED) == image
    ]


def _check_platform(
    registries: Registries, service: PlannedService, manifest: ImageManifest, platform: str
) -> None:
    """Raises `DamagedImage` unless the configuration says that the image is for `platform`."""
    found = read_configuration(registries, service.repository, manifest).platform
    if Platform.parse(platform).rank(found) is None:
        raise DamagedImage(f"{service.repository}: what was built for {platform} says that it is for {found}")
