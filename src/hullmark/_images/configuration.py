"""The configuration of an image, per the OCI image specification, "config.md", and Docker's additions to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from hullmark.errors import DamagedImage
from hullmark.model.digest import DiffId
from hullmark.model.image import HealthCheck, HistoryEntry, ImageConfiguration

if TYPE_CHECKING:
    from collections.abc import Sequence

_NANOSECONDS = 1_000_000_000
# Instructions that make no layer, as builders write them into the history.
_EMPTY = re.compile(
    r"(?:/bin/sh -c )?(?:#\(nop\)\s+)?"
    r"(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL|USER|VOLUME)\s"
).match


class _Health(msgspec.Struct, frozen=True, rename="pascal"):
    test: list[str] | None = None
    interval: int | None = None
    timeout: int | None = None
    start_period: int | None = None
    retries: int | None = None


class _Settings(msgspec.Struct, frozen=True, rename="pascal"):
    user: str | None = None
    env: list[str] | None = None
    labels: dict[str, str] | None = None
    healthcheck: _Health | None = None
    entrypoint: list[str] | str | None = None
    cmd: list[str] | str | None = None
    working_dir: str | None = None
    exposed_ports: dict[str, Any] | None = None
    volumes: dict[str, Any] | None = None
    stop_signal: str | None = None


class _RootFileSystem(msgspec.Struct, frozen=True):
    diff_ids: list[str] | None = None


class _History(msgspec.Struct, frozen=True):
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class Document(msgspec.Struct, frozen=True):
    """The configuration as it is written; what is not looked at may be anything."""

    rootfs: _RootFileSystem
    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    config: _Settings | None = None
    history: list[_History] | None = None

    def diff_ids(self, name: str) -> tuple[DiffId, ...]:
        """The layers from the bottom up; raises `DamagedImage`, naming the image by `name`."""
        try:
            return tuple(DiffId.parse(each) for each in self.rootfs.diff_ids or ())
        except ValueError as error:
            raise DamagedImage(f"{name}: the configuration lists a layer by what is none: {error}") from error

    def steps(self) -> tuple[HistoryEntry, ...]:
        """The history."""
        return tuple(
            HistoryEntry(
                created_by=each.created_by or "",
                comment=each.comment or "",
                empty=bool(each.empty_layer),
            )
            for each in self.history or ()
        )


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(Document)


def parse_configuration(content: bytes, name: str) -> Document:
    """The configuration in `content`; raises `DamagedImage`, naming the image by `name`, for anything else."""
    try:
        return _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedImage(f"{name}: the configuration cannot be read: {error}") from error


def settings_of(raw: _Settings | None) -> ImageConfiguration:
    """How containers are started, from what is written of it."""
    if raw is None:
        return ImageConfiguration()
    return ImageConfiguration(
        user=raw.user or "",
        environment=tuple(_pair(item) for item in raw.env or ()),
        labels=tuple(sorted((raw.labels or {}).items())),
        health_check=_health_check(raw.healthcheck) if raw.healthcheck else None,
        entrypoint=_words(raw.entrypoint),
        command=_words(raw.cmd),
        working_directory=raw.working_dir or "",
        ports=tuple(sorted(raw.exposed_ports or {})),
        volumes=tuple(sorted(raw.volumes or {})),
        stop_signal=raw.stop_signal or "",
    )


def align(history: Sequence[HistoryEntry], layers: int) -> tuple[HistoryEntry | None, ...]:
    """The step that made each of so many layers, from the bottom up; no step at all where they do not fit.

    Steps that made no layer are left out. Builders that do not mark these are believed where the instructions tell.
    """
    made = [each for each in history if not each.empty]
    if len(made) != layers:
        made = [each for each in made if not _EMPTY(each.created_by)]
    return tuple(made) if len(made) == layers else (None,) * layers


def _words(raw: list[str] | str | None) -> tuple[str, ...]:
    # The first engines wrote one word as such.
    return (raw,) if isinstance(raw, str) else tuple(raw or ())


def _pair(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name, value


def _health_check(raw: _Health) -> HealthCheck | None:
    if not raw.test and not any((raw.interval, raw.timeout, raw.start_period, raw.retries)):
        return None
    return HealthCheck(
        test=tuple(raw.test or ()),
        interval=(raw.interval or 0) / _NANOSECONDS,
        timeout=(raw.timeout or 0) / _NANOSECONDS,
        start_period=(raw.start_period or 0) / _NANOSECONDS,
        retries=raw.retries or 0,
    )
