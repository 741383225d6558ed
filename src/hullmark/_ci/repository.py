"""The git repository that a project lies in, asked through `git` itself."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark.errors import CommandFailed, UsageError

if TYPE_CHECKING:
    from hullmark._process import Commands, Completed

_OPTIONS = (
    # Paths come back as they are, and no configuration of the user changes what a command answers.
    *("--no-pager", "--no-optional-locks"),
    *("-c", "core.quotePath=false", "-c", "diff.ignoreSubmodules=none"),
    *("-c", "diff.orderFile=/dev/null", "-c", "submodule.recurse=false", "-c", "gc.auto=0"),
    *("-c", "core.sparseCheckout=false", "-c", "maintenance.auto=false"),
)
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_LITERAL_PATHSPECS": "0",
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "C",
}
_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A work tree of git, and a way to ask about it."""

    top: Path
    """Its uppermost directory, links resolved."""
    shallow: bool
    """Whether its history is cut off."""
    object_format: str
    """The algorithm of its object ids: `sha1` or `sha256`."""
    head: str | None
    """The commit that was checked out when this was asked for; `None` where there is none yet."""
    commands: Commands = field(repr=False, compare=False)

    def run(
        self, *arguments: str, stdin: str | None = None, index: Path | None = None, timeout: float = _SECONDS
    ) -> Completed:
        """What `git` answers, started at the top; `index` is used in the place of the repository's own."""
        return _run(self.commands, self.top, arguments, stdin=stdin, index=index, timeout=timeout)

    def ask(self, *arguments: str, stdin: str | None = None, index: Path | None = None) -> str:
        """The standard output of `git`; raises `CommandFailed` when it fails."""
        return self.run(*arguments, stdin=stdin, index=index).check().stdout

    def records(self, *arguments: str, index: Path | None = None) -> list[str]:
        """The records of a command that was told to end each with a NUL."""
        found = self.ask(*arguments, index=index).split("\0")
        return found[:-1] if found and not found[-1] else found

    def below(self, directory: Path) -> str:
        """`directory` as the repository calls it, with a slash at the end; empty for the top."""
        path = os.path.relpath(os.path.realpath(directory), self.top)
        return "" if path == os.curdir else f"{Path(path).as_posix()}/"


def find_repository(directory: Path, commands: Commands) -> Repository:
    """The repository whose work tree `directory` lies in.

    Raises `UsageError` when there is none or git refuses it, and `Unavailable` when there is no git.
    """
    done = _run(
        commands,
        directory,
        (
            *("rev-parse", "--show-toplevel", "--is-shallow-repository", "--show-object-format"),
            *("--verify", "--quiet", "HEAD^{commit}"),
        ),
    )
    # From behind: the name of the directory may itself have line ends. Without a commit, the last line is missing.
    rest, head = done.stdout.removesuffix("\n"), None
    if done.returncode == 0:
        rest, _, head = rest.rpartition("\n")
    rest, _, object_format = rest.rpartition("\n")
    top, _, shallow = rest.rpartition("\n")
    if done.returncode not in {0, 1} or not top:
        said = done.stderr.strip().removeprefix("fatal: ")
        if "not a git repository" in said or "must be run in a work tree" in said:
            raise UsageError(
                f"`{directory}` lies in no git repository, so there is no change to look at",
                hint="run it in a checkout with its `.git` directory",
            )
        if "dubious ownership" in said:
            raise UsageError(
                f"git refuses the repository of `{directory}`, as it belongs to somebody else",
                hint=f"git config --global --add safe.directory {directory}",
            )
        raise CommandFailed(done.argv, done.returncode, done.stderr or done.stdout)
    return Repository(
        top=Path(os.path.realpath(top)),
        shallow=shallow == "true",
        object_format=object_format,
        head=head,
        commands=commands,
    )


def _run(
    commands: Commands,
    directory: Path,
    arguments: tuple[str, ...],
    *,
    stdin: str | None = None,
    index: Path | None = None,
    timeout: float = _SECONDS,
) -> Completed:
    environment = _ENVIRONMENT if index is None else {**_ENVIRONMENT, "GIT_INDEX_FILE": str(index)}
    return commands.run(
        ("git", *_OPTIONS, *arguments),
        cwd=directory,
        env=environment,
        stdin=stdin,
        timeout=timeout,
        exact=True,
    )
