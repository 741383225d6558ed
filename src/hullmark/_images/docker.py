"""Images of a Docker engine, read from the stream of `GET /images/{name}/get` without touching the disk."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import IO, TYPE_CHECKING, Any

from hullmark._images.layer import read_layer
from hullmark.errors import DamagedImage, Unavailable
from hullmark.model.digest import Digest
from hullmark.model.image import HealthCheck, Image, ImageConfiguration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark._engines import Engine
    from hullmark.model.image import Layer

_NANOSECONDS = 1_000_000_000
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_TAR_BLOCK = 512


def open_image(engine: Engine, reference: str) -> Image:
    """The image that `engine` knows as `reference`, with all its layers.

    Raises `Unavailable` when it has no such image and `DamagedImage` when what it sends contradicts itself.
    """
    from docker.errors import DockerException, ImageNotFound  # noqa: PLC0415  # loaded with the engine

    try:
        inspected = engine.client.images.get(reference).attrs
        # By id, so that a tag that moves meanwhile cannot mix two images.
        layers = _layers(io.BufferedReader(_Chunks(engine.export(inspected["Id"]))), reference)
    except ImageNotFound as error:
        raise Unavailable(
            f"the engine has no image `{reference}`", hint="build it with `hullmark build`"
        ) from error
    except (DockerException, OSError) as error:
        raise Unavailable(f"the engine could not hand over `{reference}`: {error}") from error
    expected = tuple(inspected["RootFS"].get("Layers") or ())
    by_diff_id = {str(layer.diff_id): layer for layer in layers}
    missing = [diff_id for diff_id in expected if diff_id not in by_diff_id]
    if missing:
        raise DamagedImage(
            f"{reference}: the configuration lists layer {missing[0]}, and no layer that the engine sent has that "
            f"digest (sent: {', '.join(sorted(by_diff_id)) or 'none'})"
        )
    return Image(
        reference=reference,
        config_digest=Digest.parse(inspected["Id"]),
        platform=f"{inspected['Os']}/{inspected['Architecture']}",
        configuration=configuration(inspected.get("Config") or {}),
        layers=tuple(by_diff_id[diff_id] for diff_id in expected),
    )


def configuration(raw: Mapping[str, Any]) -> ImageConfiguration:
    """The `config` object of an image configuration, per the OCI image specification and Docker's HEALTHCHECK."""
    health = raw.get("Healthcheck")
    return ImageConfiguration(
        user=raw.get("User") or "",
        environment=tuple(_pair(item) for item in raw.get("Env") or ()),
        labels=tuple(sorted((raw.get("Labels") or {}).items())),
        health_check=_health_check(health) if health else None,
    )


def _pair(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name, value


def _health_check(raw: Mapping[str, Any]) -> HealthCheck:
    def seconds(key: str) -> float:
        return (raw.get(key) or 0) / _NANOSECONDS

    return HealthCheck(
        test=tuple(raw.get("Test") or ()),
        interval=seconds("Interval"),
        timeout=seconds("Timeout"),
        start_period=seconds("StartPeriod"),
        retries=raw.get("Retries") or 0,
    )


class _Chunks(io.RawIOBase):
    """A raw stream over an iterator of byte strings."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._chunks))
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def _layers(stream: IO[bytes], reference: str) -> list[Layer]:
    """Every layer in the archive that an engine exports, whichever layout it has.

    Layers come before the manifest that names them, so each blob is told by its first bytes: a JSON document, or
    a layer. Which layers count is the configuration's to say.
    """
    layers = []
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() and member.size else None
                if content is None:
                    continue
                head = content.read(_TAR_BLOCK)
                if not _is_layer(head):
                    continue
                layers.append(
                    read_layer(_plain(io.BufferedReader(_Joined(head, content)), head, reference), reference)
                )
    except tarfile.TarError as error:
        raise DamagedImage(
            f"{reference}: what the engine sent is no readable tar archive: {error}"
        ) from error
    return layers


def _is_layer(head: bytes) -> bool:
    return (
        head[257:262] == b"ustar"
        or head.startswith((_GZIP, _ZSTD))
        or (len(head) == _TAR_BLOCK and not any(head))
    )


def _plain(stream: IO[bytes], head: bytes, reference: str) -> IO[bytes]:
    if head.startswith(_GZIP):
        return gzip.GzipFile(fileobj=stream)  # type: ignore[return-value]
    if head.startswith(_ZSTD):
        raise DamagedImage(f"{reference}: a layer is compressed with zstd, which this version does not read")
    return stream


class _Joined(io.RawIOBase):
    """The bytes already read, and then the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        super().__init__()
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head or self._rest.read(len(buffer))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        self._head = self._head[size:]
        return size
