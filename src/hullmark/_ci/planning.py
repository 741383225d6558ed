"""From a resolved project to the plan of it."""

from __future__ import annotations

import json
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from hullmark._ci.among import SETTINGS
from hullmark._ci.before import files_of
from hullmark._ci.digest import declared_inputs
from hullmark._ci.evidence import Sources, links_of
from hullmark._ci.plan import Mounted, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark.model.inputs import BuildInputs
    from hullmark.model.project import Project


def plan_of(project: Project, inputs: Mapping[str, BuildInputs], environ: Mapping[str, str]) -> Plan:
    """The plan of `project`, whose images are built from `inputs`."""
    raw: dict[str, Any] = json.loads(project.resolved)
    services: Mapping[str, Any] = raw.get("services") or {}
    root = os.path.realpath(project.root)
    return Plan(
        name=project.name,
        root=project.root,
        services=tuple(service.name for service in project.services),
        built=tuple(service.name for service in project.built),
        inputs=inputs,
        declared={
            name: tuple(declared_inputs(services.get(name) or {}, each, environ))
            for name, each in inputs.items()
        },
        mounts=tuple(
            Mounted(
                service=name,
                path=PurePosixPath(os.path.relpath(os.path.realpath(path), root)).as_posix(),
                text=text,
            )
            for name, path, text in mounted(raw)
        ),
        edges=tuple(_dependencies(project, services)),
        warnings=project.warnings,
    )


def sources_of(project: Project, plan: Plan) -> Sources | None:
    """What `plan` was made from; `None` where that cannot be looked at without Compose or an engine."""
    read = files_of(project)
    if read.unknown or read.elsewhere or any(each.local for each in plan.inputs.values()):
        return None
    root = os.path.realpath(project.root)
    inputs = plan.inputs.values()
    builds = {os.path.normpath(os.path.join(root, path)) for each in inputs for path in each.files}  # noqa: PTH118
    return Sources(
        configuration=tuple(sorted({*map(str, read.paths), str(project.root / ".env")})),
        files=tuple(sorted({*(str(project.root / name) for name in SETTINGS), *builds})),
        links=tuple(
            sorted(
                {
                    str(project.root),
                    *links_of(inputs, root),
                    *(path for _, path, _ in mounted(json.loads(project.resolved))),
                    *map(str, read.watched),
                }
            )
        ),
    )


def mounted(raw: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What services are given of this host when they run: the service, an absolute path, and as what."""
    for name, service in sorted((raw.get("services") or {}).items()):
        for mount in service.get("volumes") or ():
            text = f"mounted at {mount['target']}"
            if mount.get("type") == "bind":
                yield name, mount["source"], text
            elif source := _bound(raw, mount.get("source")):
                yield name, source, text
        for kind in ("configs", "secrets"):
            for entry in service.get(kind) or ():
                declared = (raw.get(kind) or {}).get(entry["source"]) or {}
                if declared.get("file"):
                    yield name, declared["file"], f"the {kind.removesuffix('s')} `{entry['source']}`"


def _bound(raw: Mapping[str, Any], volume: str | None) -> str | None:
    """The directory of this host that a volume stands for."""
    options = ((raw.get("volumes") or {}).get(volume) or {}).get("driver_opts") or {}
    device = str(options.get("device") or "")
    return device if "bind" in str(options.get("o")) and device.startswith("/") else None


def _dependencies(project: Project, services: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Which service needs which, and how: by what Compose and hullmark.toml say."""
    for service in project.services:
        for other, _ in service.depends_on:
            yield service.name, other, "depends on"
        declared = services[service.name]
        for link in declared.get("links") or ():
            yield service.name, str(link).partition(":")[0], "links to"
        for key in ("network_mode", "ipc", "pid"):
            kind, _, other = str(declared.get(key) or "").partition(":")
            if kind == "service":
                yield service.name, other, "shares a namespace with"
        for entry in declared.get("volumes_from") or ():
            yield service.name, str(entry).partition(":")[0], "mounts the volumes of"
    for link in project.settings.links:
        other = link.to.partition("://")[2].partition("/")[0].partition(":")[0]
        yield link.from_service, other, "calls"
