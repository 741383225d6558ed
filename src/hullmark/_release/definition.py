"""What buildx is told to build: the image of one service for one platform, with all that Compose says of it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._ci.inputs import inputs_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._release.builder import Builder
    from hullmark.model.project import Project
    from hullmark.model.release import Commit, PlannedService
    from hullmark.model.version import Version

TARGET = "image"
"""What the image is called in the definition; names of services need not be names of targets."""
_SERVICE = "service:"
_OCI = "org.opencontainers.image"
_PUSHED = {"type": "image", "push": "true"}


def labels(
    version: Version, commit: Commit, service: PlannedService, *, source: str | None, licenses: str | None
) -> dict[str, str]:
    """What an image says of itself, and its manifest and its index as well; the same for every build of a commit."""
    created = dt.datetime.fromtimestamp(commit.created, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = {
        f"{_OCI}.version": str(version),
        f"{_OCI}.revision": commit.revision,
        f"{_OCI}.created": created,
        f"{_OCI}.title": service.repository.rpartition("/")[2],
    }
    if source := source or commit.source:
        found[f"{_OCI}.source"] = source
    if licenses:
        found[f"{_OCI}.licenses"] = licenses
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One call of `docker buildx bake`."""

    arguments: tuple[str, ...]
    """After `docker buildx bake`, without the file for the metadata."""
    file: str = field(repr=False)
    """For standard input. It holds what Compose resolved, secrets among it: never log or report it."""


def definition(
    project: Project,
    service: PlannedService,
    platform: str,
    *,
    version: Version,
    commit: Commit,
    builder: Builder,
) -> Definition:
    """How the image of `service` is built for `platform` by `builder`, and pushed to where it waits for the gate."""
    settings = project.settings.release
    said = labels(version, commit, service, source=settings.source, licenses=settings.licenses)
    staging = service.staging(version, platform)
    arguments = ["-f", "-", "--builder", builder.name, "--progress", "plain"]
    if builder.in_engine:
        # The engine pushes what it has, under its name; it keeps neither attestations nor annotations.
        output = _PUSHED
        arguments += ["--provenance=false"]
    else:
        output = {
            **_PUSHED,
            "name": service.repository,
            "push-by-digest": "true",
            "name-canonical": "true",
            "oci-mediatypes": "true",
            "rewrite-timestamp": "true",
            **{f"annotation.{key}": value for key, value in said.items()},
        }
        # Nothing of what a build is given as an argument, as more would tell.
        arguments += ["--provenance=mode=min"]
    # Not every bake takes the platform from a Compose file.
    arguments += ["--set", f"*.platform={platform}", "--set", f"{TARGET}.output={_csv(output)}", TARGET]
    compose = _Compose(project)
    build = compose.build(service.name)
    build["args"] = {
        **_mapping(build.get("args")),
        "VERSION": _escaped(str(version)),
        "SOURCE_DATE_EPOCH": str(commit.created),
    }
    build["labels"] = {
        **_mapping(build.get("labels")),
        **{key: _escaped(value) for key, value in said.items()},
    }
    build["tags"] = [staging] if builder.in_engine else []
    if settings.cache and not builder.in_engine:
        cache = f"type=registry,ref={service.repository}:buildcache-{platform.partition('/')[2].replace('/', '-')}"
        build["cache_from"] = [*build.get("cache_from", []), cache]
        build["cache_to"] = [f"{cache},mode=max"]
    else:
        # Where the cache of the project goes is nothing that a release may change.
        build.pop("cache_to", None)
    services = compose.others(service.name, build)
    document = {"name": "release", "services": {TARGET: {"build": build}, **services}}
    if secrets := compose.raw.get("secrets"):
        document["secrets"] = secrets
    return Definition(arguments=tuple(arguments), file=json.dumps(document))


class _Compose:
    """The resolved project, as far as builds are concerned."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.raw: dict[str, Any] = json.loads(project.resolved)

    def build(self, name: str) -> dict[str, Any]:
        """What is said of the build of a service; for which platforms is said elsewhere."""
        build = dict(self.raw["services"][name]["build"])
        build.pop("platforms", None)
        return build

    def others(self, name: str, build: dict[str, Any]) -> dict[str, Any]:
        """The services whose images that one is built from, as targets; `build` is told of them."""
        found: dict[str, Any] = {}
        names = {name: TARGET}
        todo = [(name, build)]
        while todo:
            current, definition = todo.pop()
            contexts = _mapping(definition.get("additional_contexts"))
            wanted = {
                key: value.removeprefix(_SERVICE)
                for key, value in contexts.items()
                if isinstance(value, str) and value.startswith(_SERVICE)
            }
            wanted |= self._bases(current)
            for key, other in wanted.items():
                if other not in names:
                    names[other] = f"base-{len(names)}"
                    theirs = {**self.build(other), "tags": []}
                    theirs.pop("cache_to", None)
                    found[names[other]] = {"build": theirs}
                    todo.append((other, theirs))
                contexts[key] = f"target:{names[other]}"
            if contexts:
                definition["additional_contexts"] = contexts
        return found

    def _bases(self, name: str) -> dict[str, str]:
        """The images that another service builds and that one names in its Dockerfile: by image, the service."""
        inputs = inputs_of(self._project, (name,)).get(name)
        if inputs is None:
            return {}
        images = {each.name: each.image for each in self._project.built}
        return {images[other]: other for other, _ in inputs.services if other in images and other != name}


def _mapping(value: Any) -> dict[str, Any]:
    """What Compose writes as a mapping, or as a list of `KEY=VALUE`."""
    if isinstance(value, dict):
        return dict(value)
    pairs = (str(each).partition("=") for each in value or ())
    return {key: text if equals else None for key, equals, text in pairs}


def _escaped(text: str) -> str:
    """`text` where Compose replaces variables."""
    return text.replace("$", "$$")


def _csv(values: Mapping[str, str]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(f"{key}={value}" for key, value in values.items())
    return written.getvalue()
