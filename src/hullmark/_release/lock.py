"""Who publishes a version: a document in the registry, because that is all that the machines have in common.

A registry changes no tag on condition, so a lock cannot be one tag. Everybody who wants it announces that under a tag
of his own, and then looks who else has: whoever sees nobody has it, and of two that see each other neither has. What
cannot be taken away again is written over as given back.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._images.artifacts import Kind
from hullmark._images.transport import Patience
from hullmark._process import SystemCommands
from hullmark._release.registries import Registries
from hullmark._smoke.owner import Owner, this_process
from hullmark.errors import DamagedImage, HullmarkError, Interrupted, Unavailable
from hullmark.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = Kind(
    artifact_type="application/vnd.hullmark.lock.v1+json",
    media_type="application/vnd.hullmark.lock.v1+json",
)
_PREFIX = "hullmark-lock-"
_LARGEST = 1 << 16
_LONGEST = 100
_SHORT = Patience(attempts=2, connect=5.0, answer=10.0, piece=10.0)
"""With which a lock is given back once somebody has asked to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has announced himself."""

    tag: str
    owner: str
    """Which process of which machine."""
    since: str
    held: bool


def moment() -> str:
    """Now, as others are told since when somebody has the lock."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def prefix(version: str) -> str:
    """What the tags of everybody who publishes that version begin with."""
    return f"{_PREFIX}{version.replace('+', '_')}-"


@contextlib.contextmanager
def locked(
    registries: Registries, repository: str, version: str, *, now: str, breaking: bool
) -> Iterator[None]:
    """Holds the lock of `version`, in `repository`, meanwhile; `now` is told to whoever wants it as well.

    What a process of this machine has left that is certainly gone is no obstacle, and nor is anybody's with `breaking`.
    Raises `Unavailable` where somebody else has it.
    """
    me = f"{prefix(version)}{uuid.uuid4().hex[:12]}"
    owner = str(this_process())
    try:
        _write(registries, repository, me, owner, now, held=True)
        for other in _others(registries, repository, version, me):
            if breaking or _is_gone(other.owner):
                _give_back(registries, repository, other.tag, other.owner, other.since)
                continue
            host = printable(other.owner.partition("|")[0])[:_LONGEST] or "an unknown machine"
            since = printable(other.since)[:_LONGEST]
            raise Unavailable(
                f"{version} is being published by somebody else: from {host}, since {since}",
                hint="wait for that to end; if it has ended without saying so, add `--break-lock`",
            )
        yield
    except BaseException:
        # What has happened first says more than that the lock stays.
        with contextlib.suppress(HullmarkError):
            _end(registries, repository, me, owner, now)
        raise
    _end(registries, repository, me, owner, now)


def _end(registries: Registries, repository: str, tag: str, owner: str, since: str) -> None:
    """Gives the own lock back, also when the user has asked to stop; then it is not waited for long."""
    if not registries.cancelled.is_set():
        try:
            _give_back(registries, repository, tag, owner, since)
        except Interrupted:
            pass
        else:
            return
    cancelled = threading.Event()
    with Registries(
        commands=SystemCommands(registries.environ, cancelled),
        environ=registries.environ,
        cancelled=cancelled,
        patience=_SHORT,
    ) as apart:
        _give_back(apart, repository, tag, owner, since)
    if registries.cancelled.is_set():
        raise Interrupted


def _others(registries: Registries, repository: str, version: str, me: str) -> Iterator[Holder]:
    for tag in registries.tags(repository):
        if tag.startswith(prefix(version)) and tag != me:
            holder = _read(registries, repository, tag)
            if holder is not None and holder.held:
                yield holder


def _read(registries: Registries, repository: str, tag: str) -> Holder | None:
    content = registries.kept(repository, LOCK, tag, _LARGEST)
    if content is None:
        return None  # given back since it was listed
    try:
        said = json.loads(content)
        return Holder(tag=tag, owner=str(said["owner"]), since=str(said["since"]), held=bool(said["held"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedImage(f"{repository}:{tag} is no lock of a release") from error


def _write(registries: Registries, repository: str, tag: str, owner: str, since: str, *, held: bool) -> None:
    content = json.dumps({"owner": owner, "since": since, "held": held}).encode()
    registries.keep(repository, LOCK, content, tag)


def _give_back(registries: Registries, repository: str, tag: str, owner: str, since: str) -> None:
    digest = registries.digest(repository, tag)
    if digest is not None and not registries.remove(repository, digest):
        _write(registries, repository, tag, owner, since, held=False)


def _is_gone(text: str) -> bool:
    """Whether that process has certainly ended."""
    owner = Owner.parse(text)
    return owner is not None and owner.is_gone(this_process(), local=True)
