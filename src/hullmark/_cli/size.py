"""`hullmark size`: what takes the space in an image, who brought it, and what could be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark._reporters import VIEWS

if TYPE_CHECKING:
    from hullmark._cli.session import Session


@click.command
@click.argument("image", metavar="IMAGE|SERVICE")
@click.option(
    "--by",
    "views",
    type=click.Choice(VIEWS),
    multiple=True,
    help="What to show; may be repeated.  [default: instruction, owner and path]",
)
@options.top
@click.option("--duplicates", is_flag=True, help="Also look for equal files, for which all bytes are read.")
@options.transfer
@options.stage_image("--stage-image", "IMAGE")
@click.option(
    "--previous",
    metavar="IMAGE|FILE.json[:SERVICE]",
    help="What hosts have now, to tell what they pull.  [default: `previous` of a service]",
)
@options.stage_image("--previous-stage-image", "--previous")
@options.of_image
@options.project
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    image: str,
    views: tuple[str, ...],
    top: int,
    duplicates: bool,
    transfer: bool,
    stage_image: str | None,
    previous: str | None,
    previous_stage_image: str | None,
    platform: str | None,
    format_: str,
) -> int:
    """Show what takes the space in an image, or in the image of a service of the project here.

    IMAGE is `docker:NAME` or a bare name, `podman:NAME`, `registry:REFERENCE` or a reference with the host of a
    registry, `oci-dir:PATH[:TAG]`, `oci-archive:PATH[:TAG]` or `docker-archive:PATH[:TAG]`. Of a service the Dockerfile
    is known, so bytes are attributed to its instructions, also through a squash. IMAGE may be a service and something
    else: the service is meant; `docker:NAME` means the other.

    What a host must pull that has the previous image is everything that it lacks: of a squashed image all of it, next
    to what the layers of its stage would take, or one layer for each instruction.
    """
    from hullmark._cli.images import Wanted, sized  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._reporters import size  # noqa: PLC0415

    wanted = Wanted(platform=platform, contents=duplicates, transfer=transfer, stage=stage_image)
    anatomy, update = sized(session, image, wanted, previous=previous, previous_stage=previous_stage_image)
    if format_ == "json":
        session.write_for_programs(size.json(anatomy, update))
        return 0
    session.write(size.text(anatomy, session.style(), views=views or VIEWS[1:], top=top, update=update))
    return 0
