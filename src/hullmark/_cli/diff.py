"""`hullmark diff`: what changed between two images, and why one is larger than the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hullmark._cli import options

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="Rows of each table.")
@click.option(
    "--contents", is_flag=True, help="Also compare files of one size, for which all bytes are read."
)
@click.option("--platform", help="Which one, of an image for several.  [default: this machine's]")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the report; JSON has every row.",
)
@options.project
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    before: str,
    after: str,
    top: int,
    contents: bool,
    platform: str | None,
    format_: str,
) -> int:
    """Show what changed from image A to image B: why it grew, and what of sizes, configuration, packages and files.

    A and B are images or services as `hullmark size` takes them, or `FILE.json[:SERVICE]`: a JSON report of this tool
    that was kept. Where only sums are known of a side, that is what is compared.
    """
    from hullmark._cli.images import contents_of  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._contents.difference import difference  # noqa: PLC0415
    from hullmark._reporters import Style, diff  # noqa: PLC0415

    sides = [contents_of(session, name, platform=platform, contents=contents) for name in (before, after)]
    found = difference(*sides)
    if format_ == "json":
        session.write_for_programs(diff.json(found))
        return 0
    style = Style(width=session.width(), colour=session.coloured(session.stdout))
    for line in diff.text(found, style, top=top):
        session.stdout.write(line)
    session.stdout.flush()
    return 0
