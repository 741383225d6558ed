"""Which services a change touches, and why: one value from changes, inputs and configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hullmark._ci.unseen import Unseen
from hullmark.model.affected import Affected, AffectedService, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hullmark._ci.configuration import Configured, Difference
    from hullmark._ci.plan import Plan
    from hullmark._ci.unseen import LastBuild
    from hullmark.model.affected import Change, Changes
    from hullmark.model.inputs import Because, BuildInputs
    from hullmark.model.location import SourceSpan


@dataclass(kw_only=True)
class Assembly:
    """Collects the reasons, service by service."""

    plan: Plan
    changes: Changes
    top: str
    """The top of the repository."""
    last: LastBuild
    place: Callable[..., SourceSpan | None]
    """Where something stands in the Compose files."""
    build: dict[str, list[Reason]] = field(default_factory=dict)
    smoke: dict[str, list[Reason]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def assemble(self, configured: Configured | None) -> Affected:
        """Every service with its reasons; without `configured`, nothing of the configuration has changed."""
        everything = self.changes.everything or (configured and configured.everything)
        if everything:
            self._everything(everything)
        else:
            self._changed_files()
            self._unseen()
            if configured is not None:
                self._configuration(configured)
            self._built_upon()
            self._depending()
            self._note_what_is_not_seen()
        return self._result()

    def _result(self) -> Affected:
        return Affected(
            project=self.plan.name,
            changes=self.changes,
            services=tuple(
                AffectedService(
                    name=name,
                    builds=name in self.plan.built,
                    build=tuple(dict.fromkeys(self.build.get(name, ()))),
                    smoke=tuple(dict.fromkeys(self.smoke.get(name, ()))),
                )
                for name in self.plan.services
            ),
            notes=tuple(self.notes),
            warnings=self.plan.warnings,
        )

    def _everything(self, why: str) -> None:
        for name in self.plan.services:
            self._add(name, Reason(path="", text=why), builds=True)

    def _add(self, name: str, reason: Reason, *, builds: bool) -> None:
        """Adds the reason to a build where the service has one, otherwise to the smoke test."""
        builds = builds and name in self.plan.built
        (self.build if builds else self.smoke).setdefault(name, []).append(reason)

    def _changed_files(self) -> None:
        root = os.path.realpath(self.plan.root)
        for change in self.changes.changes:
            for path in change.paths:
                own = os.path.relpath(os.path.join(self.top, path), root)  # noqa: PTH118
                relative = PurePosixPath(own).as_posix()
                renamed = f" (renamed from {change.old})" if path != change.old and change.old else ""
                for name, inputs in self.plan.inputs.items():
                    for because in touched(inputs, relative, tree=change.tree):
                        reason = Reason(path=f"{relative}{renamed}", text=str(because), span=because.span)
                        self._add(name, reason, builds=True)
                for mount in self.plan.mounts:
                    if _overlap(relative, mount.path, change):
                        self._add(mount.service, Reason(path=relative, text=mount.text), builds=False)

    def _unseen(self) -> None:
        root = os.path.realpath(self.plan.root)
        unseen = Unseen(plan=self.plan, changes=self.changes, root=root, top=self.top, last=self.last)
        for name in self.plan.inputs:
            reasons, notes = unseen.of(name)
            for reason in reasons:
                self._add(name, reason, builds=True)
            self.notes += notes

    def _configuration(self, configured: Configured) -> None:
        files = ", ".join(
            PurePosixPath(os.path.relpath(os.path.join(self.top, path), self.plan.root)).as_posix()  # noqa: PTH118
            for path in configured.files
        )
        for difference in configured.differences:
            names = (difference.service,) if difference.service else self.plan.services
            for name in names:
                reason = Reason(path=files, text=self._told(difference), span=self.place(*difference.path))
                self._add(name, reason, builds=difference.builds)
        if configured.settings is not None:
            for name in sorted(configured.settings.services):
                if name in self.plan.services:
                    text = f"what hullmark.toml says of `{name}` has changed"
                    self._add(name, Reason(path=configured.settings_file, text=text), builds=True)
            for name in sorted(configured.settings.linked.intersection(self.plan.services)):
                text = f"a link of `{name}` has changed"
                self._add(name, Reason(path=configured.settings_file, text=text), builds=False)

    def _told(self, difference: Difference) -> str:
        where = self.place(*difference.path)
        at = f" at {where.path}:{where.line}" if where is not None else ""
        if difference.service is None:
            return f"the project's `{difference.key}` has changed{at}"
        if not difference.key:
            return f"`{difference.service}` is new{at}"
        return f"`{difference.key}` has changed{at}"

    def _built_upon(self) -> None:
        """An image that is built upon another one has to be built when that is."""
        pending = True
        while pending:
            pending = False
            for name, inputs in self.plan.inputs.items():
                if name in self.build:
                    continue
                for other, because in upstream(inputs):
                    if other in self.build:
                        text = f"{because}, which is built from `{other}`"
                        self._add(name, Reason(path="", text=text, span=because.span), builds=True)
                        pending = True

    def _note_what_is_not_seen(self) -> None:
        unknown = dict.fromkeys(each for inputs in self.plan.inputs.values() for each in inputs.unknown)
        if unknown:
            images = ", ".join(f"`{each}`" for each in unknown)
            self.notes.append(f"what ONBUILD takes is not known of images that are not here: {images}")
        for name in self.plan.built:
            inputs = self.plan.inputs.get(name)
            if inputs is None:
                self.notes.append(f"`{name}` is built from a remote context, which is not looked at")
            else:
                self.notes += [
                    *(f"`{name}`: {each}, which is not looked at" for each in inputs.unfollowed),
                    *(f"`{name}`: {each}; all of the context counts" for each in inputs.refused),
                ]

    def _depending(self) -> None:
        """What calls, or waits for, a service that is another one now has to be tried with it."""
        pending = [*self.build, *self.smoke]
        seen = set(pending)
        while pending:
            changed = pending.pop(0)
            for name, other, how in self.plan.edges:
                if other == changed and name not in seen:
                    seen.add(name)
                    pending.append(name)
                    self._add(name, Reason(path="", text=f"it {how} `{other}`"), builds=False)


def touched(inputs: BuildInputs, path: str, *, tree: bool) -> tuple[Because, ...]:
    """Why a change of `path`, or of all below it, changes the image."""
    return inputs.below(PurePosixPath(path)) if tree else inputs.match(PurePosixPath(path))


def upstream(inputs: BuildInputs) -> Iterator[tuple[str, Because]]:
    """The services whose images go into this one, and through what."""
    yield from inputs.services


def _overlap(path: str, mount: str, change: Change) -> bool:
    """Whether a change of `path` is one of what is mounted from `mount`."""
    return path == mount or _is_below(path, mount) or (change.tree and _is_below(mount, path))


def _is_below(path: str, directory: str) -> bool:
    if directory == ".":
        return not path.startswith("../")
    return path.startswith(f"{directory}/")
