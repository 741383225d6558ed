"""Removing what runs created: containers, networks, volumes and images, told by their labels and by nothing else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hullmark._smoke.owner import KEPT_LABEL, OWNER_LABEL, RUN_LABEL, Owner, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hullmark._engines import Engine

PATIENCE = 20.0
"""Seconds after a first look, and the removal of what it found, however long that took, until nothing may be there."""
QUIET = 2
"""How many times in a row nothing must be found."""


def remove_run(engine: Engine, name: str, *, settled: bool = False) -> str | None:
    """Removes everything that carries the label of the run `name`; says what could not be removed, if anything.

    Containers are killed: what they would do on a polite stop is not what a teardown is about. `settled` says that
    nobody creates anything any more, so that seeing nothing once is enough.
    """
    from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine

    deadline: float | None = None
    label = f"{RUN_LABEL}={name}"
    quiet = 0
    errors: list[str] = []
    # Twice nothing: a `docker compose up` that was ended a moment ago may still have a request in the engine.
    enough = 1 if settled else QUIET
    while quiet < enough:
        late = deadline is not None and time.monotonic() > deadline
        try:
            found, errors = _remove_all(engine, label)
        except (DockerException, OSError) as error:
            found, errors = True, [f"the engine does not say what is left of {name}: {error}"]
        quiet = 0 if found else quiet + 1
        if deadline is None:
            deadline = time.monotonic() + PATIENCE
        # Not before another look: an engine under load takes longer than that for one, and may be done with it.
        if late and found:
            break
        if quiet < enough:
            # What was removed without an error is gone; only an error may need a moment to pass.
            time.sleep(0.1 if quiet or errors else 0)
    if quiet:
        return None
    return (
        "; ".join(errors) or f"something goes on creating containers, networks, volumes or images of {name}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What there is of one run."""

    run: str
    owner: Owner | None
    """`None` when its label names nobody."""
    kept: bool
    """Whether it was left up on purpose."""
    gone: bool
    """Whether its owner has certainly ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """What came of removing what runs left."""

    removed: tuple[str, ...] = ()
    """Runs of which nothing is left."""
    failed: tuple[tuple[str, str], ...] = ()
    """Runs of which something could not be removed, and what."""
    others: tuple[Remains, ...] = ()
    """Runs that were left alone."""


def reap(engine: Engine) -> tuple[str, ...]:
    """Removes what runs left behind whose process is gone; the names of those runs.

    Never touches anything of a run that may still be going on, whoever owns it, nor of one that was left up on purpose.
    """
    return clear(engine).removed


def clear(engine: Engine, name: str | None = None) -> Reaped:
    """Removes what the run called `name`, which may be kept on purpose, has left; without a name, what `reap` removes.

    Only of runs whose process is gone, so that what else there is of runs is told, and left alone.
    """
    removed, failed, others = [], [], []
    for found in remains(engine):
        if not found.gone or found.run != (name or found.run) or (found.kept and name is None):
            others.append(found)
        elif left := remove_run(engine, found.run):
            failed.append((found.run, left))
        else:
            removed.append(found.run)
    return Reaped(removed=tuple(removed), failed=tuple(failed), others=tuple(others))


def remains(engine: Engine) -> tuple[Remains, ...]:
    """All runs of which there is something, by name."""
    here = this_process()
    local = engine.host.startswith("unix:")
    found: dict[str, Remains] = {}
    for run, owner, kept in sorted(_runs(engine), key=lambda each: (each[0], str(each[1]))):
        gone = owner is not None and owner.is_gone(here, local=local)
        before = found.get(run, Remains(run=run, owner=owner, kept=kept, gone=gone))
        # A run that says different things of itself is not known to have ended.
        found[run] = replace(before, kept=kept or before.kept, gone=gone and before.gone)
    return tuple(found.values())


def _runs(engine: Engine) -> Iterable[tuple[str, Owner | None, bool]]:
    return {
        (labels[RUN_LABEL], Owner.parse(labels.get(OWNER_LABEL, "")), KEPT_LABEL in labels)
        for group in _listed(engine, RUN_LABEL)
        for labels in (item.labels for item in group)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """Something that a run has created."""

    kind: str
    name: str
    labels: Mapping[str, str]
    remove: Callable[[], object]


def _listed(engine: Engine, label: str) -> tuple[list[_Item], list[_Item], list[_Item], list[_Item]]:
    """The containers, networks, volumes and images that carry `label`.

    With one request for each kind: the client's own lists ask once more about every container and image.
    """
    api = engine.client.api
    filters: dict[str, Any] = {"label": label}

    def item(kind: str, name: str, raw: Mapping[str, Any], remove: Callable[[], object]) -> _Item:
        return _Item(kind=kind, name=name, labels=raw.get("Labels") or {}, remove=remove)

    def containers() -> list[_Item]:
        return [
            item(
                "container",
                (raw.get("Names") or [raw["Id"][:12]])[0].lstrip("/"),
                raw,
                partial(api.remove_container, raw["Id"], v=True, force=True),
            )
            for raw in api.containers(all=True, filters=filters)
        ]

    def networks() -> list[_Item]:
        return [
            item("network", raw["Name"], raw, partial(api.remove_network, raw["Id"]))
            for raw in api.networks(filters=filters)
        ]

    def volumes() -> list[_Item]:
        return [
            item("volume", raw["Name"], raw, partial(api.remove_volume, raw["Name"], force=True))
            for raw in api.volumes(filters=filters)["Volumes"] or ()
        ]

    def images() -> list[_Item]:
        # By their names: an image without one is what the builder's cache or a container still needs, and would be
        # found by every run to come.
        return [
            item("image", tag, raw, partial(api.remove_image, tag))
            for raw in api.images(filters=filters)
            for tag in raw.get("RepoTags") or ()
            if tag != "<none>:<none>"
        ]

    with ThreadPoolExecutor(max_workers=4) as pool:
        first, second, third, fourth = [pool.submit(f) for f in (containers, networks, volumes, images)]
        return first.result(), second.result(), third.result(), fourth.result()


def _remove_all(engine: Engine, label: str) -> tuple[bool, list[str]]:
    """Whether anything with the label was there, and what could not be removed."""
    from docker.errors import APIError, NotFound  # noqa: PLC0415  # loaded with the engine

    def remove(item: _Item) -> str | None:
        try:
            item.remove()
        except NotFound:
            return None
        except APIError as error:
            return f"{item.kind} {item.name}: {error.explanation or error}"
        return None

    containers, networks, volumes, images = _listed(engine, label)
    errors: list[str | None] = []
    with ThreadPoolExecutor(max_workers=8) as pool:
        # What a container uses cannot go before it.
        for group in (containers, [*networks, *volumes, *images]):
            errors += pool.map(remove, group)
    return bool(containers or networks or volumes or images), [error for error in errors if error]
