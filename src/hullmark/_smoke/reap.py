"""Removing what runs created: containers, networks, volumes and images, told by their labels and by nothing else."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from hullmark._smoke.owner import KEPT_LABEL, OWNER_LABEL, RUN_LABEL, Owner, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from docker.models.containers import Container
    from docker.models.images import Image
    from docker.models.networks import Network
    from docker.models.volumes import Volume

    from hullmark._engines import Engine

PATIENCE = 20.0
"""Seconds within which everything must be gone; an engine under load removes containers late."""
QUIET = 2
"""How many times in a row nothing must be found."""


def remove_run(engine: Engine, name: str) -> str | None:
    """Removes everything that carries the label of the run `name`; says what could not be removed, if anything.

    Containers are killed: what they would do on a polite stop is not what a teardown is about.
    """
    from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine

    deadline = time.monotonic() + PATIENCE
    label = f"{RUN_LABEL}={name}"
    quiet = 0
    errors: list[str] = []
    # Twice nothing: a `docker compose up` that was ended a moment ago may still have a request in the engine.
    while quiet < QUIET:
        try:
            found, errors = _remove_all(engine, label)
        except (DockerException, OSError) as error:
            found, errors = True, [f"the engine does not say what is left of {name}: {error}"]
        quiet = 0 if found else quiet + 1
        if time.monotonic() > deadline:
            break
        if quiet < QUIET:
            time.sleep(0.05 if found else 0.1)
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
    filters: dict[str, str | list[str] | bool] = {"label": RUN_LABEL}
    found: list[dict[str, str]] = [
        container.labels
        for container in engine.client.containers.list(all=True, filters=filters, ignore_removed=True)
    ]
    found += [network.attrs.get("Labels") or {} for network in engine.client.networks.list(filters=filters)]
    found += [volume.attrs.get("Labels") or {} for volume in engine.client.volumes.list(filters=filters)]
    # As `_remove_all` does: what has no name would be found by every run to come.
    found += [image.labels for image in engine.client.images.list(filters=filters) if image.tags]
    return {
        (labels[RUN_LABEL], Owner.parse(labels.get(OWNER_LABEL, "")), KEPT_LABEL in labels)
        for labels in found
    }


def _remove_all(engine: Engine, label: str) -> tuple[bool, list[str]]:
    """Whether anything with the label was there, and what could not be removed."""
    client = engine.client
    filters: dict[str, str | list[str] | bool] = {"label": label}

    def remove(kind: str, name: str, action: Callable[[], object]) -> str | None:
        from docker.errors import APIError, NotFound  # noqa: PLC0415  # loaded with the engine

        try:
            action()
        except NotFound:
            return None
        except APIError as error:
            return f"{kind} {name}: {error.explanation or error}"
        return None

    def container(item: Container) -> str | None:
        return remove("container", item.name or item.short_id, lambda: item.remove(force=True, v=True))

    def network(item: Network) -> str | None:
        return remove("network", item.name or item.short_id, item.remove)

    def volume(item: Volume) -> str | None:
        return remove("volume", item.name or item.short_id, lambda: item.remove(force=True))

    def image(item: Image) -> str | None:
        # By its names: an image without one is what the builder's cache or a container still needs.
        errors = [remove("image", tag, partial(client.images.remove, tag)) for tag in item.tags]
        return "; ".join(error for error in errors if error) or None

    with ThreadPoolExecutor(max_workers=8) as pool:
        containers = client.containers.list(all=True, filters=filters, ignore_removed=True)
        results = list(pool.map(container, containers))
        networks = client.networks.list(filters=filters)
        results += pool.map(network, networks)
        volumes = client.volumes.list(filters=filters)
        results += pool.map(volume, volumes)
        images = [each for each in client.images.list(filters=filters) if each.tags]
        results += pool.map(image, images)
    return bool(containers or networks or volumes or images), [error for error in results if error]
