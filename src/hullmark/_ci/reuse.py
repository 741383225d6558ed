"""Images that need not be built, because one that was built from the same inputs is there."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._ci import bases
from hullmark._ci.bases import Bases, declared_build
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
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hullmark._ci.objects import Objects
    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.inputs import Because, BuildInputs
    from hullmark.model.project import Project, Service

_PULL_SECONDS = 1800.0
_COMPLETE = frozenset({LABEL, bases.LABEL})
"""What an image has to carry to be reused."""


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
    _bases: Bases | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def digest(self, service: Service) -> InputDigest:
        """The digest of what the service's image is built from now; none where that cannot be known."""
        with self._lock:
            try:
                if self._digests is None:
                    self._digests = Digests.of_project(
                        self.project, self.inputs, self._objects(), self.environ
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

    def wanted(self, service: Service, inputs: InputDigest) -> dict[str, str]:
        """The labels of an image of `service` that is built from `inputs` as everything is now.

        Without the label of its base images where it is not known which those are, or will be.
        """
        if inputs.digest is None:
            return {}
        with self._lock:
            try:
                if self._bases is None:
                    self._bases = Bases(project=self.project, inputs=self.inputs, commands=self.commands)
                found = self._bases.digest(service.name)
            except Interrupted:
                raise
            except HullmarkError:
                found = None
        return {LABEL: inputs.digest} if found is None else {LABEL: inputs.digest, bases.LABEL: found}

    def labels(self, service: Service, wanted: Mapping[str, str], engine: Engine) -> dict[str, str]:
        """Those of `wanted` that an image of `service` may carry that is built now.

        What is built upon the image of another service gets that which is there, which may be out of date.
        """
        names = {other for other, _ in self._upstream(service)}
        for other in self.project.built:
            if other.name in names:
                expected = self.wanted(other, self.digest(other))
                complete = _COMPLETE.issubset(expected)
                if not complete or not _carries(_local_labels(other.image, engine), expected):
                    wanted = {name: value for name, value in wanted.items() if name != bases.LABEL}
        # What is not said is taken over from the image below, of which it may hold.
        return {bases.LABEL: "", **wanted} if wanted else {}

    def in_order(self, services: Iterable[Service]) -> Iterator[tuple[Service, ...]]:
        """`services` in groups: what is built upon the image of another one comes after that."""
        pending = tuple(services)
        upstream = {each.name: {other for other, _ in self._upstream(each)} for each in pending}
        while pending:
            waiting = {each.name for each in pending}
            ready = tuple(each for each in pending if not upstream[each.name] & waiting)
            # Those that are built upon each other in a circle fail, and say so.
            yield ready or pending
            pending = tuple(each for each in pending if ready and each not in ready)

    def _upstream(self, service: Service) -> tuple[tuple[str, Because], ...]:
        try:
            inputs = self.inputs(service.name)
        except Interrupted:
            raise
        except HullmarkError:
            return ()  # its build says so
        return () if inputs is None else inputs.services

    def find(self, service: Service, labels: Mapping[str, str], engine: Engine) -> str | None:
        """Where an image of `service` that carries `labels` was found; afterwards the engine has it by all its names.

        `None` where there is none, or it cannot be told.
        """
        if not _COMPLETE.issubset(labels):
            return None
        if _carries(_local_labels(service.image, engine), labels):
            found: str | None = "the local image was built from the same inputs"
        else:
            found = self._pull(service, labels)
        return found if found is not None and self._tagged(service) else None

    def _tagged(self, service: Service) -> bool:
        """Gives the image the other names that a build gives it; whether it has them now."""
        try:
            for tag in declared_build(self.project, service.name).get("tags") or ():
                self.commands.run(("docker", "tag", service.image, str(tag)), timeout=60).check()
        except Interrupted:
            raise
        except HullmarkError:
            return False  # it is built then, and what is wrong with the name is told there
        return True

    def keep(self, inputs: InputDigest) -> None:
        """Records what an image was built from."""
        Records.at(self.environ).keep(self.project, inputs)

    def _pull(self, service: Service, wanted: Mapping[str, str]) -> str | None:
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
            if not _carries(labels, wanted) or manifest is None:
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


def _carries(found: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(found.get(name) == value for name, value in wanted.items())


def _local_labels(image: str, engine: Engine) -> Mapping[str, str]:
    """The labels of the local image; none where there is no such image."""
    from docker.errors import DockerException, ImageNotFound  # noqa: PLC0415  # loaded with the client

    try:
        found: Mapping[str, Any] = engine.client.api.inspect_image(image)  # type: ignore[no-untyped-call]  # in the stubs
    except ImageNotFound:
        return {}
    except (DockerException, OSError) as error:
        raise Unavailable(f"the engine does not say whether it has {image}: {error}") from error
    labels: Mapping[str, str] = (found.get("Config") or {}).get("Labels") or {}
    return labels
