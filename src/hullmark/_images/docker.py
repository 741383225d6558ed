"""Images of a local engine: Docker's, and Podman's through the interface of Docker.

Three ways, the fastest that is possible: Docker's layer store, the content store of containerd, and the archive that
the engine streams, which is analysed while it comes and never written to disk.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._images.configuration import parse_configuration
from hullmark._images.export import Export
from hullmark._images.interface import Core, NoSuchImage
from hullmark._images.layer_store import LayerStore
from hullmark._images.layout import content_core
from hullmark._images.local_engine import LocalEngine
from hullmark._images.manifests import Descriptor
from hullmark._images.misnamed import is_id, near
from hullmark._images.platforms import Platform, asked_for
from hullmark._images.saved import archive_core
from hullmark._images.streamed import StreamedArchive
from hullmark.errors import DamagedImage, Unavailable

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    import docker

    from hullmark._images.interface import DamagedStore, Request
    from hullmark._process import Commands

_LOCAL = "unix://"
_START_PODMAN = "start its service: `podman system service -t 0`, or `systemctl --user start podman.socket`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """Images of the engine that the Docker CLI would use."""

    commands: Commands
    environ: Mapping[str, str]

    @contextlib.contextmanager
    def open(
        self, reference: str, platform: str | None, request: Request, cancelled: threading.Event
    ) -> Iterator[Core]:
        """See `Source.open`."""
        core = self._in_store(reference, platform, request, cancelled)
        if core is not None:
            yield self._with_a_way_out(core, platform, request, cancelled)
            return
        from hullmark._engines.docker import api_of  # noqa: PLC0415  # loads the client of the engine

        with api_of(self.environ) as (api, host):
            core = _open(
                api,
                lambda inspected: _stored(
                    api.info(), host, inspected, reference, platform, request, cancelled
                ),
                reference,
                platform,
                request,
                cancelled,
            )
            yield self._with_a_way_out(core, platform, request, cancelled)

    def _with_a_way_out(
        self, core: Core, platform: str | None, request: Request, cancelled: threading.Event
    ) -> Core:
        """`core`, whose image is streamed where it turns out that the store is damaged."""

        def streamed(damage: DamagedStore) -> Core:
            from hullmark._engines.docker import api_of  # noqa: PLC0415  # loads the client of the engine

            why = f"its layer store is damaged: {damage.message}"
            try:
                with api_of(self.environ) as (api, _):
                    return _open(api, lambda _: (None, why), core.reference, platform, request, cancelled)
            except Unavailable as error:
                # The engine reads the same store.
                raise DamagedImage(f"{damage.message}; and {error.message}") from error

        return replace(core, otherwise=streamed)

    def _in_store(
        self, reference: str, platform: str | None, request: Request, cancelled: threading.Event
    ) -> Core | None:
        """The image out of the engine's own store, where no client is needed to find it there."""
        engine = LocalEngine.of(self.environ)
        if engine is None or (info := engine.info()) is None:
            return None
        if (inspected := engine.image(reference)) is None or "Id" not in inspected:
            return None
        try:
            core, _ = _stored(info, engine.host, inspected, reference, platform, request, cancelled)
        except OSError:
            return None
        return core


@dataclass(frozen=True, slots=True, kw_only=True)
class Podman:
    """Images of Podman, asked at its socket: CONTAINER_HOST, or that of the user, or that of the system."""

    commands: Commands
    environ: Mapping[str, str]

    @contextlib.contextmanager
    def open(
        self, reference: str, platform: str | None, request: Request, cancelled: threading.Event
    ) -> Iterator[Core]:
        """See `Source.open`."""
        from hullmark._engines.docker import api_of  # noqa: PLC0415  # loads the client of the engine

        with api_of({"DOCKER_HOST": self._host()}, called="Podman", hint=_START_PODMAN) as (api, _):
            yield _open(
                api,
                lambda _inspected: (None, "the store of Podman is its own"),
                reference,
                platform,
                request,
                cancelled,
                "podman",
            )

    def _host(self) -> str:
        if host := self.environ.get("CONTAINER_HOST"):
            return host
        runtime = self.environ.get("XDG_RUNTIME_DIR")
        own = Path(runtime) / "podman" / "podman.sock" if runtime else None
        if own is not None and own.exists():
            return f"{_LOCAL}{own}"
        return f"{_LOCAL}/run/podman/podman.sock"


def _open(
    api: docker.APIClient,
    stored: Callable[[Mapping[str, Any]], tuple[Core | None, str]],
    reference: str,
    platform: str | None,
    request: Request,
    cancelled: threading.Event,
    program: str = "docker",
) -> Core:
    """The image out of the engine's own store where that can be read, and else as the engine streams it."""
    from docker.errors import DockerException, ImageNotFound, NotFound  # noqa: PLC0415  # loaded with the client

    try:
        inspected: dict[str, Any] = api.inspect_image(reference)  # type: ignore[no-untyped-call]  # in the stubs
        core, why_not = stored(inspected)
        if core is None:
            core = _exported(api, inspected, reference, platform, request, cancelled)
            core = replace(core, how=f"streamed by the engine, because {why_not}")
    except (ImageNotFound, NotFound) as error:
        raise _missing(api, reference, program) from error
    except (DockerException, OSError) as error:
        raise Unavailable(f"the engine could not hand over `{reference}`: {error}") from error
    return core


def _missing(api: docker.APIClient, reference: str, program: str) -> NoSuchImage:
    """That there is no such image, with the names that it was probably meant by, and what to do."""
    from docker.errors import DockerException  # noqa: PLC0415  # loaded with the client

    try:
        listed: list[dict[str, Any]] = api.images()
    except (DockerException, OSError):
        listed = []
    names = {tag for each in listed for tag in each.get("RepoTags") or () if "<none>" not in tag}
    meant = near(reference, names)
    found = f"; there is {', '.join(f'`{each}`' for each in meant)}" if meant else ""
    if is_id(reference):
        hint = f"`{program} image ls` lists what there is"
    else:
        hint = f"build it with `hullmark build`, or pull it with `{program} pull {reference}`"
    return NoSuchImage(f"the engine has no image `{reference}`{found}", hint=hint)


def _stored(
    info: Mapping[str, Any],
    host: str,
    inspected: Mapping[str, Any],
    reference: str,
    platform: str | None,
    request: Request,
    cancelled: threading.Event,
) -> tuple[Core | None, str]:
    """The image as the engine's own store has it, or why it cannot be read there."""
    if not host.startswith(_LOCAL):
        return None, "it is not on this machine"
    root = Path(str(info.get("DockerRootDir") or "/var/lib/docker"))
    driver = str(info.get("Driver") or "")
    if "containerd" in str(info.get("DriverStatus")) and driver != "overlay2":
        return _from_containerd(root, inspected, reference, platform, request)
    store = LayerStore(root=root)
    if reason := store.why_not(driver):
        return None, reason
    config = store.config(str(inspected["Id"]))
    if config is None:
        return None, f"{root} holds no such image: the engine's directory is another one"
    _check_platform(config, platform, reference)
    layers = store.layers(parse_configuration(config, reference).diff_ids(reference), reference, cancelled)
    if layers is None:
        return None, f"{root} does not hold all of its layers"
    return (
        Core(
            reference=reference,
            how="read from the engine's layer store",
            manifest=None,
            config=config,
            layers=layers,
        ),
        "",
    )


def _from_containerd(
    root: Path,
    inspected: Mapping[str, Any],
    reference: str,
    platform: str | None,
    request: Request,
) -> tuple[Core | None, str]:
    """The image out of the content store of containerd, whose blobs lie as in a directory of OCI."""
    described: Mapping[str, Any] = inspected.get("Descriptor") or {}
    digest = str(described.get("digest") or inspected["Id"])
    for store in (root / "containerd" / "daemon", Path("/var/lib/containerd")):
        content = store / "io.containerd.content.v1.content"
        blob = content / "blobs" / "sha256" / digest.removeprefix("sha256:")
        if os.access(blob, os.R_OK):
            descriptor = Descriptor(digest=digest, size=int(described.get("size") or blob.stat().st_size))
            try:
                core = content_core(content, descriptor, reference, platform, request)
            except DamagedImage as error:
                return None, error.message
            return replace(core, how="read from the content store of containerd"), ""
    return None, "the content store of containerd cannot be read"


def _exported(
    api: docker.APIClient,
    inspected: Mapping[str, Any],
    reference: str,
    platform: str | None,
    request: Request,
    cancelled: threading.Event,
) -> Core:
    """The image as the engine streams it."""
    archive = StreamedArchive(request, reference)
    # By ID, so that a tag that moves meanwhile cannot mix two images.
    for piece in Export(api, str(inspected["Id"]), reference).pieces(cancelled):
        archive.write(piece)
    archive.finish()
    return archive_core(
        archive, f"the archive of `{reference}`", reference, request, None, asked_for(platform)
    )


def _check_platform(config: bytes, platform: str | None, reference: str) -> None:
    """A store with one image a name has it for one platform."""
    if platform is None:
        return
    document = parse_configuration(config, reference)
    found = Platform.of(document.os or "", document.architecture or "", document.variant or "")
    if Platform.parse(platform).rank(found) is None:
        raise Unavailable(
            f"{reference} is not there for {platform}; the engine has it for {found}",
            hint=f"name it with `--platform {found}`, or name no platform",
        )
