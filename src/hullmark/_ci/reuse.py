"""Images that need not be built, because one that was built from the same inputs is there."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._ci.digest import LABEL, Digests
from hullmark._ci.objects import objects_of
from hullmark._ci.records import Records
from hullmark._ci.repository import find_repository
from hullmark._images.configuration import parse_configuration
from hullmark._images.interface import Request
from hullmark._images.registry import Registry
from hullmark.errors import HullmarkError, Interrupted, Unavailable
from hullmark.model.affected import InputDigest
from hullmark.model.reference import DOCKER_HUB, Tagged, parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._ci.objects import Objects
    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.inputs import BuildInputs
    from hullmark.model.project import Project, Service

_PULL_SECONDS = 1800.0


@dataclass(kw_only=True)
class Reuse:
    """Digests of inputs, and images that carry them; safe to share between threads."""

    project: Project
    commands: Commands
    environ: Mapping[str, str] = field(repr=False)
    cancelled: threading.Event
    inputs: Callable[[str], BuildInputs | None]
    """The inputs of a service."""
    _digests: Digests | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def digest(self, service: Service) -> InputDigest:
        """The digest of what the service's image is built from now; none where that cannot be known."""
        with self._lock:
            try:
                if self._digests is None:
                    self._digests = Digests(
                        project=self.project,
                        inputs=self.inputs,
                        objects=self._objects(),
                        environ=self.environ,
                    )
                return self._digests.of(service.name)
            except Interrupted:
                raise
            except HullmarkError as error:
                return InputDigest(service=service.name, digest=None, unknown=error.message)

    def _objects(self) -> Objects:
        try:
            return objects_of(find_repository(self.project.root, self.commands))
        except Interrupted:
            raise
        except HullmarkError:
            return objects_of(None)  # every file is read then, which says the same

    def find(self, service: Service, inputs: InputDigest, engine: Engine) -> str | None:
        """Where the image of `service` that was built from `inputs` was found; afterwards the engine has it.

        `None` where there is none, or it cannot be told.
        """
        if inputs.digest is None:
            return None
        if _local_digest(service.image, engine) == inputs.digest:
            return "the local image was built from the same inputs"
        return self._pull(service, inputs.digest)

    def keep(self, inputs: InputDigest) -> None:
        """Records what an image was built from."""
        Records.at(self.environ).keep(self.project, inputs)

    def _pull(self, service: Service, digest: str) -> str | None:
        try:
            reference = parse_reference(service.image)
        except ValueError:
            return None
        # What names no host is more often a name for this machine than one on the hub.
        if not isinstance(reference, Tagged) or reference.registry == DOCKER_HUB:
            return None
        try:
            source = Registry(commands=self.commands, environ=self.environ)
            with source.open(service.image, None, Request(), self.cancelled) as core:
                settings = parse_configuration(core.config, service.image).config
                manifest = core.manifest
            labels = (settings and settings.labels) or {}
            if labels.get(LABEL) != digest or manifest is None:
                return None
            pinned = (
                f"{reference.registry}/{reference.repository}@sha256:{hashlib.sha256(manifest).hexdigest()}"
            )
            self.commands.run(("docker", "pull", "--quiet", pinned), timeout=_PULL_SECONDS).check()
            self.commands.run(("docker", "tag", pinned, service.image), timeout=60).check()
        except Interrupted:
            raise
        except HullmarkError:
            return None  # it is built then
        return f"{pinned} was built from the same inputs, and is pulled"


def _local_digest(image: str, engine: Engine) -> str | None:
    """The digest that the local image carries."""
    from docker.errors import DockerException, ImageNotFound  # noqa: PLC0415  # loaded with the client

    try:
        found: Mapping[str, Any] = engine.client.api.inspect_image(image)  # type: ignore[no-untyped-call]  # in the stubs
    except ImageNotFound:
        return None
    except (DockerException, OSError) as error:
        raise Unavailable(f"the engine does not say whether it has {image}: {error}") from error
    label = ((found.get("Config") or {}).get("Labels") or {}).get(LABEL)
    return None if label is None else str(label)
