"""One digest for all that the image of a service is built from.

```
inputs ── entries ── `context/app/main.py` -> `100644 OBJECT-ID`
              ├───── `argument VERSION`    -> digest of the value
              ├───── `base debian:12`      -> the reference
              └───── `service base`        -> the digest of that service's inputs
```

Nothing of the machine is in it: no time, no owner, no absolute path.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._dockerfile.walk import files_below
from hullmark.model.affected import InputDifference, InputDigest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Self

    from hullmark._ci.objects import Objects
    from hullmark.model.inputs import BuildInputs
    from hullmark.model.project import Project

VERSION = "1"
"""Of what goes into a digest and how; digests of different ones are never equal."""
LABEL = "io.hullmark.inputs"
"""The label that an image carries the digest in."""
_WITHOUT_EFFECT = frozenset({"context", "dockerfile", "args", "target", "additional_contexts", "tags"}) | {
    *("cache_from", "cache_to", "no_cache", "pull", "platforms", "ssh"),
}
"""What of `build` is no input, or is one under another name."""


@dataclass(kw_only=True)
class Digests:
    """The digests of a project's services, each made when it is first asked for."""

    root: Path
    """The directory of the project."""
    services: frozenset[str]
    """All that it has."""
    inputs: Callable[[str], BuildInputs | None]
    """What the image of a service is built from; `None` where that cannot be read."""
    declared: Callable[[str], Iterable[tuple[str, str]]] = field(repr=False)
    """What else there is of a service's inputs than files."""
    objects: Objects
    _made: dict[str, InputDigest] = field(default_factory=dict)

    @classmethod
    def of_project(
        cls,
        project: Project,
        inputs: Callable[[str], BuildInputs | None],
        objects: Objects,
        environ: Mapping[str, str],
    ) -> Self:
        """The digests of `project`'s services, whose images are built from `inputs`."""
        services: Mapping[str, Any] = json.loads(project.resolved).get("services") or {}

        def declared(service: str) -> Iterator[tuple[str, str]]:
            found = inputs(service)
            assert found is not None
            return declared_inputs(services.get(service) or {}, found, environ)

        return cls(
            root=project.root,
            services=frozenset(services),
            inputs=inputs,
            declared=declared,
            objects=objects,
        )

    def of(self, service: str) -> InputDigest:
        """The digest of the service's inputs; raises `Unavailable` for a file that cannot be read."""
        if service not in self._made:
            # Images that are built upon each other in a circle cannot be built at all.
            self._made[service] = InputDigest(service=service, digest=None, unknown="it is built upon itself")
            self._made[service] = self._make(service)
        return self._made[service]

    def _make(self, service: str) -> InputDigest:
        inputs = self.inputs(service)
        if inputs is None:
            return InputDigest(service=service, digest=None, unknown="its Dockerfile cannot be read")
        if reason := next(unknown_inputs(inputs), None):
            return InputDigest(service=service, digest=None, unknown=reason)
        found = dict(self.declared(service))
        found.update(self._files(inputs))
        for other in sorted({name for name, _ in inputs.services} & self.services):
            upstream = self.of(other)
            if upstream.digest is None:
                reason = f"of `{other}`, which it is built upon, there is none: {upstream.unknown}"
                return InputDigest(service=service, digest=None, unknown=reason)
            found[f"service {other}"] = upstream.digest
        entries = tuple(sorted(found.items()))
        return InputDigest(service=service, digest=digest_of(entries), entries=entries)

    def _files(self, inputs: BuildInputs) -> Iterator[tuple[str, str]]:
        """The Dockerfile, and everything that is selected from the contexts."""
        for path, because in sorted(inputs.files.items()):
            # What an ignore file says shows in which files are selected.
            if because.text.startswith("the Dockerfile"):
                value = self.objects.value(os.path.join(self.root, path))  # noqa: PTH118
                yield "Dockerfile", (value or "").rpartition(" ")[2]
        value_of = self.objects.value
        for context, path, where in files_below(inputs, self.root):
            value = value_of(where)
            if value is not None:
                yield (f"file {context}:{path}" if context else f"file {path}"), value


def declared_inputs(
    declared: Mapping[str, Any], inputs: BuildInputs, environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """What there is of `inputs` besides files; `declared` is what Compose says of the service."""
    from hullmark._images.platforms import host_platform  # noqa: PLC0415  # a plan says it already

    yield "version", VERSION
    yield "target", inputs.target or ""
    # What is not said is what the engine is; that it is one of this machine's kind is as good as known.
    yield (
        "platform",
        inputs.platform
        or declared.get("platform")
        or environ.get("DOCKER_DEFAULT_PLATFORM")
        or str(host_platform()),
    )
    for name, value in sorted(inputs.args.items()):
        yield f"argument {name}", _hidden(value)
    for base in sorted(inputs.bases):
        yield f"base {base}", base
    build = declared.get("build") or {}
    for name, where in sorted((build.get("additional_contexts") or {}).items()):
        # Where a directory is says nothing of what is in it, which is listed below.
        yield f"context {name}", "a directory" if str(where).startswith("/") else str(where)
    for key, value in sorted(build.items()):
        if key not in _WITHOUT_EFFECT:
            yield f"build.{key}", _hidden(json.dumps(value, sort_keys=True))


def unknown_inputs(inputs: BuildInputs) -> Iterator[str]:
    """What of the inputs nobody knows before it is fetched or mended."""
    yield from inputs.refused
    for what in inputs.unfollowed:
        if not what.known:
            yield str(what)


def digest_of(entries: tuple[tuple[str, str], ...]) -> str:
    """The digest of inputs, of which no two lists have the same."""
    # Names may hold anything but a NUL.
    told = "".join([f"{name}\0{value}\0" for name, value in entries])
    return f"sha256:{hashlib.sha256(told.encode('utf-8', 'surrogateescape')).hexdigest()}"


def _hidden(value: str) -> str:
    """What stands for a value that may be secret and must not be kept."""
    return f"sha256:{hashlib.sha256(value.encode('utf-8', 'surrogateescape')).hexdigest()}"


def compared(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[InputDifference, ...]:
    """What differs between two lists of inputs."""
    return tuple(
        InputDifference(name=name, was=was.get(name), now=now.get(name))
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    )
