"""`hullmark ci`: the pipeline of a pull request, here and on a CI system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hullmark._cli import options

if TYPE_CHECKING:
    from hullmark._ci.templates import Template
    from hullmark._cli.session import Session

_FORCE = click.option("--force", is_flag=True, help="Also write over files that hullmark has not written.")


@click.group
def command() -> None:
    """Write the files of a CI system, check them, and run what they call."""


@command.command
@_FORCE
@options.project
@click.pass_obj
def github(session: Session, /, *, force: bool) -> int:
    """Write the workflows of GitHub: for pull requests, for the branch that they go to, and for tags.

    These are build.yml and build-comment.yml, baseline.yml unless `[baseline]` says what to compare with, and
    release.yml where `registry` of `[release]` is set.
    """
    _write(session, "github", force=force)
    return 0


@command.command
@_FORCE
@options.project
@click.pass_obj
def gitlab(session: Session, /, *, force: bool) -> int:
    """Write the pipeline of GitLab, for merge requests, their branch and tags: .gitlab/hullmark.yml.

    It is for .gitlab-ci.yml to include. Tags need `registry` of `[release]`.
    """
    paths = _write(session, "gitlab", force=force)
    if not session.quiet:
        session.tell(f"in .gitlab-ci.yml: `include: {{local: {paths[0]}}}`")
    return 0


@command.command
@options.project
@click.pass_obj
def check(session: Session) -> int:
    """Fail when the files that hullmark wrote are no longer what it would write of this configuration."""
    from hullmark._ci.templates import differences, found, ours  # noqa: PLC0415  # loaded when it is called

    top, systems = _systems(session)
    written = {
        name: templates
        for name, templates in systems.items()
        if any(ours(found(top, each), each) for each in templates)
    }
    if not written:
        session.tell(f"no files to check; `hullmark ci {'` or `hullmark ci '.join(systems)}` writes them")
        return 4
    behind = [
        (name, different) for name, templates in written.items() for different in differences(top, templates)
    ]
    for _, (_, lines) in behind:
        session.write(f"{line}\n" for line in lines)
    for name in dict.fromkeys(name for name, _ in behind):
        session.tell(f"`hullmark ci {name}` writes what differs")
    return 1 if behind else 0


@command.command
@click.argument("step", type=click.Choice(["pr", "build", "stack"]))
@click.argument("services", nargs=-1, metavar="[SERVICE]...")
@click.option(
    "--base",
    required=True,
    metavar="REF",
    help="What to compare with, as of `hullmark affected`.",
)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    help="Directory of images in files: written by `build`, read by `stack`.",
)
@click.option(
    "--reports", type=click.Path(path_type=Path), help="Directory for the report, in every format for a file."
)
@options.project
@click.pass_obj
def run(
    session: Session,
    /,
    *,
    step: str,
    services: tuple[str, ...],
    base: str,
    images: Path | None,
    reports: Path | None,
) -> int:
    """Run the pipeline of a pull request, or one step of it, for the services that are affected since a base.

    `pr` is all of it on this machine: lint, build what is not there, validate, smoke-test and scan. On a CI system,
    `build` builds the affected among SERVICE, and `stack` does the rest with the images that were built.
    """
    from hullmark._cli.ci_run import FILES, Steps  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._cli.destinations import refuse_unwritable  # noqa: PLC0415
    from hullmark.errors import UsageError  # noqa: PLC0415

    if services and step != "build":
        raise UsageError(f"`{step}` is about all services that are affected", hint="only `build` takes names")
    if step == "stack" and images is None:
        raise UsageError("`stack` needs the images that `build` wrote", hint="add `--images DIRECTORY`")
    if step == "pr" and images is not None:
        raise UsageError("`pr` builds the images where they are needed", hint="leave `--images` out")
    if reports is not None:
        reports = session.directory / reports
        refuse_unwritable(session, [(format_, reports / name) for format_, name in FILES.items()])
    steps = Steps(session, base)
    match step:
        case "build":
            return steps.build(services, None if images is None else session.directory / images, reports)
        case "stack":
            assert images is not None
            return steps.stack(session.directory / images, reports)
        case _:
            return steps.pr(reports)


@command.command
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--of", required=True, metavar="OWNER:BRANCH", help="Where the pull request comes from.")
@click.option("--at", required=True, metavar="COMMIT", help="The commit that the report is about.")
@click.option(
    "--project",
    default="",
    metavar="DIRECTORY",
    help="The directory of the project in its repository.  [default: the top of it]",
)
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    help="Where the pull request is.  [env: GITHUB_REPOSITORY]",
)
@click.pass_obj
def comment(
    session: Session, /, *, report: Path, of: str, at: str, project: str, repository: str | None
) -> int:
    """Write a Markdown report into the one comment of a pull request on GitHub, with `gh`.

    Nothing is written where the pull request has moved on meanwhile. Where there is no report, that is what the comment
    says, so that none of an earlier commit is taken for it.
    """
    from hullmark._ci.comment import Target, missing, post  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._reporters.markdown import marker  # noqa: PLC0415
    from hullmark.errors import UsageError  # noqa: PLC0415

    repository = repository or session.environ.get("GITHUB_REPOSITORY")
    if repository is None:
        raise UsageError("no repository is named", hint="add `--repository OWNER/NAME`")
    first = marker(project)
    try:
        text = (session.directory / report).read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        session.warn([f"{report} does not exist"])
        text = missing(first, at)
    except OSError as error:
        raise UsageError(f"{report} cannot be read: {error.strerror}") from error
    target = Target(repository=repository, of=of, at=at)
    session.write([f"{post(text, first, target, SystemCommands(session.environ, session.cancelled))}\n"])
    return 0


@command.command
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--project", default="", metavar="DIRECTORY", help="As of `hullmark ci comment`.")
@click.pass_obj
def note(session: Session, /, *, report: Path, project: str) -> int:
    """Write a Markdown report into the one note of a merge request, in a job of GitLab.

    HULLMARK_GITLAB_TOKEN is a token of the project with the scope `api`; without one that is said, and nothing written.
    """
    from hullmark._ci.comment import missing  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._ci.note import post  # noqa: PLC0415
    from hullmark._reporters.markdown import marker  # noqa: PLC0415
    from hullmark.errors import UsageError  # noqa: PLC0415

    first = marker(project)
    try:
        text = (session.directory / report).read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        text = missing(first, session.environ.get("CI_COMMIT_SHA", "this commit"))
    except OSError as error:
        raise UsageError(f"{report} cannot be read: {error.strerror}") from error
    if not text.startswith(first):
        raise UsageError(f"the report is no note: expected `{first}` first")
    session.write([f"{post(text, first, session.environ, session.cancelled)}\n"])
    return 0


def _systems(session: Session) -> tuple[Path, dict[str, tuple[Template, ...]]]:
    """The top of the repository, and what would be written there for every CI system."""
    from hullmark._ci import github as of_github  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._ci import gitlab as of_gitlab  # noqa: PLC0415
    from hullmark._ci.templates import pipeline_of  # noqa: PLC0415
    from hullmark._pipeline import open_project  # noqa: PLC0415
    from hullmark._process import SystemCommands  # noqa: PLC0415
    from hullmark._root import repository_of  # noqa: PLC0415
    from hullmark.errors import UsageError  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    project, _ = open_project(session.directory, (), commands, session.environ, options.flags())
    if (top := repository_of(project.root)) is None:
        raise UsageError(
            f"{project.root} is in no git repository, and the files of a CI system are those of one",
            hint="`git init` makes one",
        )
    pipeline = pipeline_of(project)
    return top, {"github": of_github.templates(pipeline), "gitlab": of_gitlab.templates(pipeline)}


def _write(session: Session, system: str, *, force: bool) -> tuple[str, ...]:
    """Writes the files of `system`; their paths."""
    from hullmark._ci.templates import found, ours  # noqa: PLC0415
    from hullmark._files import write_whole  # noqa: PLC0415
    from hullmark.errors import UsageError  # noqa: PLC0415

    top, systems = _systems(session)
    before: dict[Template, str | None] = {each: found(top, each) for each in systems[system]}
    foreign = [each.path for each, text in before.items() if text is not None and not ours(text, each)]
    if foreign and not force:
        raise UsageError(
            f"{', '.join(foreign)} was not written by hullmark for this project",
            hint="`--force` writes over what is there; `name` of `[ci]` gives the files of this project another name",
        )
    for template in systems[system]:
        same = before[template] == template.text
        if not same:
            write_whole(top / template.path, template.text.encode("utf-8"), what=template.path)
        session.write([f"{template.path}: {'up to date' if same else 'written'}\n"])
    return tuple(each.path for each in systems[system])
