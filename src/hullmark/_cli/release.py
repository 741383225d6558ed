"""`hullmark release`: from a version to published images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hullmark._cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._cli.session import Session
    from hullmark._release.undertaking import Asked, Undertaking
    from hullmark.model.report import Report

_RUN = "run"


class _Release(click.Group):
    """Takes a version in the place of a command: `hullmark release 1.4.0` is `hullmark release run 1.4.0`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_RUN, *args]
        return super().parse_args(ctx, args)


_VERSION = click.argument("version", required=False)
_FROM_GIT = click.option("--from-git", is_flag=True, help="Take the version from the tag of the commit.")
_FORMAT = click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the report.",
)
_PLATFORM = click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="PLATFORM",
    help="Only for this platform; may be repeated.",
)

_RESUME = click.option("--resume", is_flag=True, help="Keep what an earlier attempt has built.")
_BREAK = click.option(
    "--break-lock", is_flag=True, help="Go on although somebody else seems to publish: who does has ended."
)
_STATE = click.option(
    "--state",
    "states",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="What another machine has built; may be repeated.",
)


def _common(function: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in (
        options.project,
        options.settings("release.registry"),
        _FORMAT,
        _FROM_GIT,
        _VERSION,
    ):
        function = decorate(function)
    return function


_BUILDING = options.settings("release.builder", "release.smoke-platforms")
_SIGNING = options.settings("release.sign")


@click.group(cls=_Release, no_args_is_help=True)
def command() -> None:
    """Take a version from a commit to published images: build and push, gate, publish, follow up.

    `hullmark release VERSION` does all of it; the other commands do a part of it, on one of several machines.
    """


@command.command(_RUN)
@click.option("--plan", "planning", is_flag=True, help="Show every step, reference and rule, and do nothing.")
@click.option("--resume", is_flag=True, help="Go on where an earlier attempt has ended.")
@click.option("--rollback", is_flag=True, help="Put every tag back to where it was before the release.")
@_BREAK
@_SIGNING
@_BUILDING
@_common
@click.pass_obj
def run(
    session: Session,
    /,
    *,
    version: str | None,
    from_git: bool,
    planning: bool,
    resume: bool,
    rollback: bool,
    break_lock: bool,
    format_: str,
) -> int:
    """Build, push, gate and publish VERSION.

    The index of each service refers to exactly the images that passed the gate, all services are published or none
    is, and what was interrupted can be taken up.
    """
    from hullmark._release.undertaking import opened  # noqa: PLC0415  # loaded when it is called, not for the help

    if planning + resume + rollback > 1:
        raise click.UsageError("`--plan`, `--resume` and `--rollback` exclude each other")
    asked = _asked(session, version, from_git=from_git)
    with opened(asked, writing=not planning, building=not rollback) as release:
        if planning:
            return _show_plan(session, release, format_)
        if rollback:
            code = _roll_back(session, release, breaking=break_lock)
            return _show(session, release, format_, code) if format_ == "json" else code
        if not resume and release.stands:
            release.take_up()
            return _show(session, release, format_, _left(session, release))
        if resume:
            release.take_up()
        else:
            release.refuse_begun()
        if not release.state.journal:
            release.check()
            code = _build(session, release, ()) or _gate(session, release, ())
            if code:
                return _show(session, release, format_, code)
        _publish(session, release, breaking=break_lock)
        return _show(session, release, format_, _follow_up(session, release))


@command.command
@_PLATFORM
@_RESUME
@_BUILDING
@_common
@click.pass_obj
def build(
    session: Session,
    /,
    *,
    version: str | None,
    from_git: bool,
    platforms: tuple[str, ...],
    resume: bool,
    format_: str,
) -> int:
    """Build and push the images of VERSION, of all platforms or of those that are named, and publish nothing.

    What was pushed is noted in `.hullmark/release/VERSION.json`; `hullmark release gate` and `publish` take such files
    of several machines with `--state`.
    """
    from hullmark._release.undertaking import opened  # noqa: PLC0415  # as above

    with opened(_asked(session, version, from_git=from_git), platforms=platforms, following=False) as release:
        release.refuse_begun()
        if resume:
            release.take_up()
        release.check()
        return _show(session, release, format_, _build(session, release, platforms))


@command.command
@_PLATFORM
@_STATE
@_BUILDING
@_common
@click.pass_obj
def gate(
    session: Session,
    /,
    *,
    version: str | None,
    from_git: bool,
    platforms: tuple[str, ...],
    states: tuple[Path, ...],
    format_: str,
) -> int:
    """Look at the images of VERSION that were pushed: validate, secrets, scan, budgets, and the stack where it runs.

    They are read from the registry by their digests. Exit code 1 where they may not be published.
    """
    from hullmark._release.undertaking import opened  # noqa: PLC0415  # as above

    asked = _asked(session, version, from_git=from_git, states=states)
    with opened(asked, building=False, following=False) as release:
        release.take_up()
        release.check()
        return _show(session, release, format_, _gate(session, release, platforms))


@command.command
@_STATE
@_BREAK
@_SIGNING
@_common
@click.pass_obj
def publish(
    session: Session,
    /,
    *,
    version: str | None,
    from_git: bool,
    states: tuple[Path, ...],
    break_lock: bool,
    format_: str,
) -> int:
    """Publish the images of VERSION that passed the gate: join them in indexes, and move the tags."""
    from hullmark._release.undertaking import opened  # noqa: PLC0415  # as above

    with opened(_asked(session, version, from_git=from_git, states=states), building=False) as release:
        release.take_up()
        if not release.state.journal:
            release.check()
        _publish(session, release, breaking=break_lock)
        return _show(session, release, format_, _follow_up(session, release))


@command.command
@options.settings("release.certificate-identity", "release.certificate-oidc-issuer")
@_common
@click.pass_obj
def verify(session: Session, /, *, version: str | None, from_git: bool, format_: str) -> int:
    """Look at VERSION as it is published: tags, indexes, platforms, digests, labels, layers, and what the gate saw.

    Needs no right to write, and nothing of what was done here. Exit code 1 where something is not as it should be.
    """
    from hullmark._release.undertaking import looked_at  # noqa: PLC0415  # loaded when it is called
    from hullmark._release.verify import verify as look  # noqa: PLC0415
    from hullmark._reporters import release as report  # noqa: PLC0415

    with looked_at(_asked(session, version, from_git=from_git)) as (made, registries):
        held = look(made, registries)
    if format_ == "json":
        session.write_for_programs(report.held_json(str(made.version), held))
    else:
        session.write(report.held_text(str(made.version), held))
    return 1 if any(each.problems for each in held) else 0


@command.command
@_common
@click.pass_obj
def notes(session: Session, /, *, version: str | None, from_git: bool, format_: str) -> int:
    """Write what is new in VERSION as Markdown: sizes and packages of each service, since the release before."""
    from hullmark._release.notes import news  # noqa: PLC0415  # loaded when it is called
    from hullmark._release.undertaking import looked_at  # noqa: PLC0415
    from hullmark._reporters import release as report  # noqa: PLC0415
    from hullmark._reporters.notes import notes as write  # noqa: PLC0415

    asked = _asked(session, version, from_git=from_git)
    with looked_at(asked) as (made, registries):
        found = news(made, registries, asked.surroundings)
    text = "".join(write(str(made.version), found))
    session.write_for_programs(report.notes_json(str(made.version), text) if format_ == "json" else text)
    return 0


@command.command
@_BREAK
@_common
@click.pass_obj
def prune(session: Session, /, *, version: str | None, from_git: bool, break_lock: bool, format_: str) -> int:
    """Take the tags away under which the images of VERSION waited for the gate.

    An image that an index leads to stays, and all of them where tags have begun to move. Exit code 3 where something has to stay because of the registry.
    """
    from hullmark._release import state as states  # noqa: PLC0415  # loaded when it is called
    from hullmark._release.prune import prune as clear  # noqa: PLC0415
    from hullmark._release.undertaking import looked_at  # noqa: PLC0415
    from hullmark._reporters import release as report  # noqa: PLC0415

    gone: list[str] = []
    with looked_at(_asked(session, version, from_git=from_git), writing=True) as (made, registries):
        kept = states.load(made.project.root, str(made.version))
        left = clear(made, registries, gone.append, kept=kept, breaking=break_lock)
    if format_ == "json":
        session.write_for_programs(report.pruned_json(str(made.version), gone, left))
    else:
        nothing = f"nothing of {made.version} waits in the registry that could be taken away"
        session.write(f"{line}\n" for line in ((*gone, *left) or (nothing,)))
    return 3 if left else 0


def _asked(session: Session, version: str | None, *, from_git: bool, states: tuple[Path, ...] = ()) -> Asked:
    from hullmark._checks import Surroundings  # noqa: PLC0415  # loaded when it is called
    from hullmark._cli.options import flags  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._release.undertaking import Asked  # noqa: PLC0415

    if version is not None and from_git:
        raise click.UsageError(
            f"`--from-git` takes the version from the commit's tag: leave out it or `{version}`"
        )
    if (version is None) != from_git:
        raise click.UsageError(
            "give the VERSION to release, or `--from-git` to take it from the commit's tag"
        )
    return Asked(
        directory=session.directory,
        version=version,
        others=tuple(session.directory / path for path in states),
        flags=flags(),
        surroundings=Surroundings(
            commands=SystemCommands(session.environ, session.cancelled),
            environ=session.environ,
            progress=session.progress(),
            cancelled=session.cancelled,
        ),
    )


def _tell(session: Session) -> Callable[[str], None]:
    return (lambda _: None) if session.quiet else session.tell


def _build(session: Session, release: Undertaking, platforms: tuple[str, ...]) -> int:
    from hullmark._release.build import build as build_all  # noqa: PLC0415
    from hullmark._release.plan import platform_of  # noqa: PLC0415
    from hullmark._release.publish import note_tags  # noqa: PLC0415

    note_tags(release)
    chosen = platform_of(release.wanted, platforms)
    failed = build_all(release, chosen)
    release.share(chosen)
    release.surroundings.progress.close()
    for each in failed:
        session.tell(f"{session.paint('error:', fg='red', bold=True)} {each.service} for {each.platform}:")
        session.tell(each.error)
    if failed:
        version = release.version
        session.tell(
            f"Nothing is published. `hullmark release {version} --resume` builds what is missing of the same commit; "
            f"`hullmark release prune {version}` removes what was pushed."
        )
    return max((each.exit_code for each in failed), default=0, key=lambda code: (code == 1, code))


def _gate(session: Session, release: Undertaking, platforms: tuple[str, ...]) -> int:
    from hullmark._release.gate import gate as look  # noqa: PLC0415
    from hullmark._release.plan import platform_of  # noqa: PLC0415
    from hullmark._reporters import render  # noqa: PLC0415

    def tell(platform: str, report: Report) -> None:
        release.surroundings.progress.close()
        release.keep_report(platform, "".join(render("json", report, session.style())))
        if report.verdict.exit_code:
            session.tell(f"\n{platform} does not pass the gate:")
            for line in render("text", report, session.style()):
                session.stderr.write(line)

    chosen = platform_of(release.wanted, platforms)
    passages = look(release, chosen, tell)
    release.share(chosen)
    failed = [each for each in passages if each.exit_code]
    if not failed:
        return 0
    session.tell(
        f"Nothing is published. What was pushed stays to be looked at; `hullmark release prune {release.version}` "
        "removes it."
    )
    return max((each.exit_code for each in failed), key=lambda code: (code == 1, code))


def _publish(session: Session, release: Undertaking, *, breaking: bool) -> None:
    from hullmark._release.publish import publish as move  # noqa: PLC0415

    release.surroundings.progress.close()
    move(release, _tell(session), breaking=breaking)


def _follow_up(session: Session, release: Undertaking) -> int:
    from hullmark._release.notes import news  # noqa: PLC0415
    from hullmark._release.triggers import follow_up  # noqa: PLC0415
    from hullmark._reporters.notes import notes  # noqa: PLC0415

    def written() -> str:
        found = news(release.wanted, release.registries, release.surroundings)
        return "".join(notes(str(release.version), found))

    failed = follow_up(release, written, _tell(session))
    for each in failed:
        session.tell(f"{session.paint('error:', fg='red', bold=True)} {each}")
    if failed:
        session.tell(
            f"{release.version} is published; `hullmark release {release.version} --resume` tries again what failed"
        )
    return 3 if failed else 0


def _left(session: Session, release: Undertaking) -> int:
    """Tells what of a published release is left to do."""
    from hullmark._release.triggers import waiting  # noqa: PLC0415

    left = waiting(release.project.settings.release, release.state)
    if not left:
        _tell(session)(f"{release.version} is published; nothing is left to do")
        return 0
    for each in left:
        session.tell(
            f"{session.paint('error:', fg='red', bold=True)} {each}: has not been set off with success"
        )
    session.tell(
        f"{release.version} is published; `hullmark release {release.version} --resume` tries again what failed"
    )
    return 3


def _roll_back(session: Session, release: Undertaking, *, breaking: bool) -> int:
    from hullmark._release.publish import roll_back  # noqa: PLC0415

    release.take_up()
    left = roll_back(release, _tell(session), breaking=breaking)
    for each in left:
        session.tell(each)
    return 3 if left else 0


def _show(session: Session, release: Undertaking, format_: str, code: int) -> int:
    from hullmark._reporters import release as report  # noqa: PLC0415

    if format_ == "json":
        session.write_for_programs(report.state_json(release.state))
    else:
        session.write(report.state_text(release.state))
    return code


def _show_plan(session: Session, undertaking: Undertaking, format_: str) -> int:
    from hullmark._reporters import release as report  # noqa: PLC0415

    if format_ == "json":
        session.write_for_programs(report.plan_json(undertaking.plan, undertaking.problems))
    else:
        session.write(report.plan_text(undertaking.plan, undertaking.problems))
    return 2 if undertaking.problems else 0
