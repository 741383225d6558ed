"""`hullmark sbom`: the software in an image as a document that other programs read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hullmark._cli import options
from hullmark.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark._cli.session import Session
    from hullmark.model.inventory import Inventory

_FORMATS = ("cyclonedx", "spdx")
_LARGEST_TIME = 253_402_300_799
"""The last second of the year 9999."""


@click.command
@click.argument("image", metavar="[IMAGE|SERVICE]", required=False)
@click.option(
    "--format",
    "format_",
    type=click.Choice(_FORMATS),
    default=_FORMATS[0],
    show_default=True,
    help="CycloneDX 1.6 or SPDX 2.3, both as JSON.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the document to this file instead of standard output.",
)
@click.option(
    "--from",
    "document",
    metavar="DOCUMENT",
    help="Say what a document lists that somebody made: a file, or with a scheme an image of which it is attested.",
)
@options.platform
@options.project
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    image: str | None,
    format_: str,
    output: Path | None,
    document: str | None,
    platform: str | None,
) -> int:
    """List the software in an image, or in the image of a service of the project here, as CycloneDX or SPDX.

    IMAGE is as for `hullmark size`. Listed are packages of the distribution, of Python and of Node.js, modules of Go,
    crates of Rust, archives of Java and runtimes that no package brought, each with its layer and the instruction that
    wrote it. The document says as well what could not be named. With SOURCE_DATE_EPOCH set, one image makes one
    document, byte for byte.
    """
    if (image is None) == (document is None):
        raise UsageError("name an image or a service, or a document with `--from`, and not both")
    if document is not None:
        if output is not None:
            raise UsageError(
                "`--output` is for what is written of an image; what `--from` reads is only told of"
            )
        session.write(f"{line}\n" for line in summary(_read(session, document, platform)))
        return 0
    assert image is not None
    made = _time(session.environ)
    text, found = _written(session, image, format_, platform, made)
    if not session.quiet:
        for line in summary(found):
            session.tell(line)
    if output is None:
        session.write_for_programs(text)
    else:
        from hullmark._files import write_whole  # noqa: PLC0415  # loaded when it is needed, not for the help

        write_whole(session.directory / output, text.encode(), what="the list of software")
    return 0


def _written(
    session: Session, image: str, format_: str, platform: str | None, made: datetime
) -> tuple[str, Inventory]:
    from hullmark._cli.images import Wanted, anatomy_of  # noqa: PLC0415  # as above
    from hullmark._contents.inventory import inventory  # noqa: PLC0415

    anatomy = anatomy_of(session, image, Wanted(platform=platform))
    found = inventory(anatomy)
    # Each takes half a second to load.
    if format_ == "spdx":
        from hullmark._sbom import spdx  # noqa: PLC0415

        return spdx.document(found, anatomy.image, made), found
    from hullmark._sbom import cyclonedx  # noqa: PLC0415

    return cyclonedx.document(found, anatomy.image, made), found


def _read(session: Session, name: str, platform: str | None) -> Inventory:
    from hullmark._anatomy import Reading  # noqa: PLC0415  # as above
    from hullmark._process import SystemCommands  # noqa: PLC0415

    commands = SystemCommands(session.environ, session.cancelled)
    reading = Reading(commands, session.environ, session.cancelled)
    return reading.listed(name, session.directory, platform=platform)


def summary(found: Inventory) -> Iterator[str]:
    """How much is known: the distribution, packages of each kind, and what could not be named."""
    from hullmark.model.text import printable, readable  # noqa: PLC0415  # as above

    system = "an unknown distribution" if found.distribution is None else str(found.distribution)
    yield printable(readable(system))
    for kind, count in found.counts.items():
        yield f"  {kind:<8} {count:>6}"
    if not found.packages:
        yield "  no packages"
    for each in found.unrecognised:
        yield printable(readable(f"not recognised: {each.path}: {each.reason}"))
    for note in found.notes:
        yield printable(readable(f"note: {note}"))


def _time(environ: Mapping[str, str]) -> datetime:
    """When the document is made: SOURCE_DATE_EPOCH where that is set."""
    said = environ.get("SOURCE_DATE_EPOCH", "")
    if not said:
        return datetime.now(UTC).replace(microsecond=0)
    if (
        not said.isascii()
        or not said.isdecimal()
        or len(said) > len(str(_LARGEST_TIME))
        or int(said) > _LARGEST_TIME
    ):
        raise UsageError(
            f"SOURCE_DATE_EPOCH is `{said[:40]}`, and not a number of seconds since the first of January 1970"
        )
    return datetime.fromtimestamp(int(said), UTC)
