"""The group of commands; a command's module is loaded when the command is called, not before."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hullmark import __version__
from hullmark.errors import UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullmark._cli.session import Session

COMMANDS = {
    "init": "Write a first hullmark.toml for the project.",
    "check": "Lint, build, validate, smoke-test and scan; one report, one verdict.",
    "lint": "Hold the Dockerfiles to the conventions.",
    "build": "Build the images of all or some services.",
    "validate": "Check the built images: labels, user, secrets, health check, budget.",
    "smoke": "Start an isolated copy of the stack and see whether it works.",
    "scan": "Look for known vulnerabilities in the built images.",
    "db": "Fetch, show or remove the records of known vulnerabilities.",
    "cache": "Show or remove what is kept of layers that were read.",
    "size": "Show what takes the space in an image, who brought it, and what could be saved.",
    "sbom": "List the software in an image as CycloneDX or SPDX.",
    "diff": "Show what changed between two images, and why one is larger.",
    "baseline": "Keep what is found today, so that later runs can be compared with it.",
    "history": "Show how images have grown, where they jumped, and whether they creep.",
    "budget": "Show the sizes of images beside their budgets, or set those anew.",
    "affected": "Show which services a change touches, and why.",
    "release": "Build, push, gate and publish the images of a version.",
    "dev": "Start the stack for development, with its logs, links and reloading.",
    "doctor": "Examine this machine, or say what the output of a build or a run tells of.",
    "ci": "Write the files of a CI system, check them, and run what they call.",
    "docs": "Keep tables in documents equal to what was measured.",
    "explain": "Show what a rule is about, why it matters and how to fix it.",
}
"""Every command and what it does; its module has the same name."""


class _Lazy(click.Group):
    """Loads the module of a command when it is called; the list of commands needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"hullmark._cli.{cmd_name}")
        command: click.Command = module.command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            meant = nearest(args[0], COMMANDS)
            question = f"did you mean `{meant}`?" if meant else f"the commands are {', '.join(COMMANDS)}"
            raise UsageError(f"no command `{args[0]}`; {question}", hint="`hullmark --help` shows them all")
        return super().resolve_command(ctx, args)


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=True,
    epilog="In the directory of a Compose project, start with `hullmark check`.",
)
@click.option(
    "-C",
    "--directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=".",
    help="Run as if started in this directory.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress, only the report.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colour."
)
@click.version_option(__version__, prog_name="hullmark", message="%(prog)s %(version)s")
@click.pass_obj
def app(session: Session, /, *, directory: Path, quiet: bool, color: str) -> None:
    """Take the container images of a Docker Compose project from Dockerfile to release.

    hullmark lints, builds, validates, smoke-tests and scans them, and says in one report whether they may sail.
    """
    try:
        session.directory = directory.resolve()
    except OSError as error:
        raise UsageError(
            "the current directory does not exist any more", hint="`cd` to one that does"
        ) from error
    session.quiet = quiet
    session.colour = color


def command_names() -> Sequence[str]:
    """The names of all commands, in the order in which the help shows them."""
    return tuple(COMMANDS)
