"""One release while it goes on: what is asked for, what it is made of, and how far it is."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from hullmark._files import write_whole
from hullmark._images.platforms import host_platform
from hullmark._pipeline import open_project
from hullmark._release import begun as beginnings
from hullmark._release import state as states
from hullmark._release.commit import commit_of, version_of
from hullmark._release.plan import plan, wanted
from hullmark._release.preflight import preflight, refused
from hullmark._release.registries import Registries
from hullmark._release.sign import signing, unsigned
from hullmark._release.triggers import unready
from hullmark.errors import Unavailable, UsageError
from hullmark.model.release import Commit
from hullmark.model.staging import StagedService, State
from hullmark.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hullmark._checks import Surroundings
    from hullmark._images.transport import Patience
    from hullmark._release.builder import Builder
    from hullmark._release.plan import Wanted
    from hullmark.model.project import Project
    from hullmark.model.release import Plan, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks for."""

    directory: Path
    """Where the project is looked for."""
    version: str | None
    """None where the commit's tag says it."""
    surroundings: Surroundings
    flags: Mapping[str, str] = field(default_factory=dict)
    others: tuple[Path, ...] = ()
    """Files with what other machines have done."""


@dataclass(kw_only=True)
class Undertaking:
    """A release, with the registries that it is published to."""

    wanted: Wanted
    plan: Plan
    problems: tuple[Problem, ...]
    builder: Builder | None
    registries: Registries
    surroundings: Surroundings
    state: State
    kept: State | None = None
    """How far an earlier command, or another machine, has got."""
    patience: Patience | None = None
    """With what is called once it is published; the usual one where `None`."""

    @property
    def project(self) -> Project:
        """What is released."""
        return self.wanted.project

    @property
    def version(self) -> Version:
        """As which it is released."""
        return self.wanted.version

    def check(self) -> None:
        """Raises `UsageError` with everything that stands in the way."""
        if self.problems:
            raise refused(self.problems)

    def refuse_begun(self) -> None:
        """Raises `UsageError` where tags have begun to move for it, as this machine or the registry has noted."""
        if not self.wanted.services:
            return  # which `check` tells
        try:
            beginnings.refuse_begun(self.wanted, self.registries, self.kept)
        except Unavailable:
            self.check()  # has more to say of a registry that does not answer
            raise

    @property
    def stands(self) -> bool:
        """Whether it has been published from this commit, and all of its tags are where they were put."""
        kept = self.kept
        if kept is None or not kept.published or kept.revision != self.wanted.commit.revision:
            return False
        if not beginnings.placed(self.wanted, kept):
            return False
        digests = {each.service: each.digest for each in kept.indexes}
        return all(
            self.registries.digest(service.repository, self.version.tag) == digests.get(service.name)
            for service in kept.services
        )

    def take_up(self) -> None:
        """Goes on where an earlier command has ended; raises `UsageError` where that was of another commit or place."""
        kept = self._gathered()
        if kept is None:
            raise UsageError(
                f"nothing has been done for {self.version} that could be taken up, here or in the registry",
                hint=f"begin with `hullmark release build {self.version}`, or `hullmark release {self.version}` for all of it",
            )
        beginnings.own(self.wanted, kept)
        if kept.journal:
            # From here on everything is decided, whatever is checked out.
            self.save(kept)
            return
        for what in ("revision", "platforms"):
            was, now = getattr(kept, what), getattr(self.state, what)
            if was != now:
                raise UsageError(
                    f"what has been done for {self.version} was for another {what}: `{was}`, and now it is `{now}`",
                    hint="start anew, without what was done: leave out `--resume`",
                )
        self.save(replace(kept, moving=kept.moving if kept.seen else self.state.moving))

    def _gathered(self) -> State | None:
        """What has been done here, or else what the registry tells, with what other machines have done of it."""
        home, version = states.home(self.state), self.state.version
        commit = self.wanted.commit.revision
        kept = self.kept
        if kept is not None and not beginnings.placed(self.wanted, kept):
            return kept  # which nobody is to go on with
        if kept is None or not kept.journal:
            whole = states.fetch(self.registries, home, version)
            # Tags may move already, as another machine has noted. Else only the notes of each platform count: they
            # are written whenever something is built or has passed the gate, and the whole one is as old as a release
            # that was taken back.
            if whole is not None and whole.journal and (kept is None or whole.revision == kept.revision):
                kept = whole
        if kept is not None and (kept.journal or kept.gated):
            return kept
        parts = [states.fetch(self.registries, home, version, each) for each in self.state.platforms]
        # What an attempt from another commit has left says nothing.
        fits = [each for each in parts if each is not None and each.revision == commit]
        if kept is not None and not kept.missing:
            return states.with_passages(kept, fits)
        found = [*([kept] if kept is not None else []), *fits]
        return states.merged(found) if found else None

    def share(self, platforms: tuple[str, ...]) -> None:
        """Notes in the registry what has been done for each of `platforms`, apart from what was done for others.

        The note of the whole release is for whoever holds its lock.
        """
        for platform in platforms:
            states.publish(self.registries, states.part(self.state, platform), platform)

    def keep_report(self, platform: str, text: str) -> None:
        """Keeps what the gate says of the images for `platform`, beside the state."""
        path = states.path_of(self.project.root, str(self.version)).with_suffix("")
        name = f"{platform.replace('/', '-')}.json"
        write_whole(path / name, text.encode("utf-8", "surrogateescape"), what="the report of the gate")

    def save(self, state: State) -> None:
        """Notes how far it is, on this machine."""
        self.state = state
        states.save(self.project.root, state)


@contextlib.contextmanager
def opened(
    asked: Asked,
    *,
    writing: bool = True,
    building: bool = True,
    platforms: tuple[str, ...] = (),
    following: bool = True,
) -> Iterator[Undertaking]:
    """The release that is asked for, looked at from all sides, with nothing done yet.

    Without `writing`, nothing asks for the right to write, and without `building` no builder is needed; a builder is
    held to `platforms`, all of the release's when empty. Without `following`, what comes after the release is for
    another machine to set off, which has the keys to that. Raises as `open_project`, and `UsageError` for what is no
    version.
    """
    around = asked.surroundings
    project, _ = open_project(asked.directory, (), around.commands, around.environ, asked.flags)
    commit = commit_of(project.root, around.commands)
    version = parsed(asked.version) if asked.version is not None else version_of(commit)
    made, problems = wanted(project, version, commit, str(host_platform()))
    kept = states.load(project.root, str(version))
    with Registries(
        commands=around.commands,
        environ=around.environ,
        cancelled=around.cancelled,
        writing=writing,
    ) as registries:
        if asked.others:
            kept = states.merged([*(states.read(path) for path in asked.others), *([kept] if kept else [])])
        same = kept is not None and kept.revision == commit.revision
        known = frozenset(each.digest for each in kept.indexes) if kept and same else frozenset[str]()
        found = preflight(
            made,
            registries,
            around.commands,
            known=known,
            building=(platforms or made.platforms) if building else (),
            writing=writing,
        )
        planned = plan(
            made, found.tags, signing=signing(project.settings.release, around.environ), builder=found.builder
        )
        yield Undertaking(
            wanted=made,
            plan=planned,
            problems=(
                *problems,
                *found.problems,
                *(unready(project.settings.release, around.environ) if following else ()),
                *(unsigned(project.settings.release, around.environ) if following else ()),
            ),
            builder=found.builder,
            registries=registries,
            surroundings=around,
            state=begun(planned),
            kept=kept,
        )


@contextlib.contextmanager
def looked_at(asked: Asked, *, writing: bool = False) -> Iterator[tuple[Wanted, Registries]]:
    """A release that is published or was to be, whatever is checked out now; raises as `opened`.

    Registries are asked for the right to change something only with `writing`.
    """
    around = asked.surroundings
    project, _ = open_project(asked.directory, (), around.commands, around.environ, asked.flags)
    nobody = Commit(revision="", created=0)
    if writing:
        with contextlib.suppress(UsageError, Unavailable):
            nobody = commit_of(project.root, around.commands)
    version = (
        parsed(asked.version)
        if asked.version is not None
        else version_of(commit_of(project.root, around.commands))
    )
    made, problems = wanted(project, version, nobody, str(host_platform()))
    if problems:
        raise refused(problems)
    with Registries(
        commands=around.commands,
        environ=around.environ,
        cancelled=around.cancelled,
        writing=writing,
    ) as registries:
        yield made, registries


def parsed(text: str) -> Version:
    """The version that `text` spells; raises `UsageError` where it is none."""
    try:
        return Version.parse(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


def begun(planned: Plan) -> State:
    """How far a release is of which nothing has been done."""
    return State(
        project=planned.project,
        version=str(planned.version),
        revision=planned.commit.revision,
        created=planned.commit.created,
        platforms=planned.platforms,
        moving=planned.moving,
        services=tuple(
            StagedService(name=each.name, repository=each.repository) for each in planned.services
        ),
    )
