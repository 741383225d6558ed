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
@click.option(
    "--transfer",
    is_flag=True,
    help="Also estimate what a host pulls where that is not known, for which all layers are compressed.",
)
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
    platform: str | None,
    format_: str,
) -> int:
    """Show what takes the space in an image, or in the image of a service of the project here.

    IMAGE is `docker:NAME` or a bare name, `podman:NAME`, `registry:REFERENCE` or a reference with the host of a
    registry, `oci-dir:PATH[:TAG]`, `oci-archive:PATH[:TAG]` or `docker-archive:PATH[:TAG]`. Of a service the Dockerfile
    is known, so bytes are attributed to its instructions, also through a squash. IMAGE may be a service and something
    else: the service is meant; `docker:NAME` means the other.
    """
    from hullmark._cli.images import anatomy_of  # noqa: PLC0415  # loaded when it is called, not for the help
    from hullmark._reporters import size  # noqa: PLC0415

    anatomy = anatomy_of(session, image, platform=platform, contents=duplicates, transfer=transfer)
    if format_ == "json":
        session.write_for_programs(size.json(anatomy))
        return 0
    session.write(size.text(anatomy, session.style(), views=views or VIEWS[1:], top=top))
    return 0
