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
@options.top
@click.option(
    "--contents", is_flag=True, help="Also compare files of one size, for which all bytes are read."
)
@options.transfer
@options.stage_image("--stage-image-a", "A")
@options.stage_image("--stage-image-b", "B")
@options.of_image
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
    transfer: bool,
    stage_image_a: str | None,
    stage_image_b: str | None,
    platform: str | None,
    format_: str,
) -> int:
    """Show what changed from image A to image B: why it grew, what pulling that takes, configuration, packages, files.

    A and B are images or services as `hullmark size` takes them, or `FILE.json[:SERVICE]`: a JSON report of this tool
    that was kept. Where only sums are known of a side, that is what is compared.
    """
    from hullmark._cli.images import Wanted, contents_of  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._contents.difference import difference  # noqa: PLC0415
    from hullmark._reporters import diff  # noqa: PLC0415

    sides = [
        contents_of(
            session,
            name,
            Wanted(platform=platform, contents=contents, transfer=transfer, stage=stage),
        )
        for name, stage in ((before, stage_image_a), (after, stage_image_b))
    ]
    found = difference(*sides)
    if format_ == "json":
        session.write_for_programs(diff.json(found))
        return 0
    session.write(diff.text(found, session.style(), top=top))
    return 0
