"""Options that several commands take; those of the configuration are derived from its schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hullmark._reporters import FORMATS
from hullmark._settings.project_options import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._settings.kinds import Option

F = TypeVar("F", bound="Callable[..., Any]")

SHORT = {"project.compose": ("-f", "--file")}
"""Names that people expect besides the derived one."""


class _Report(click.ParamType[tuple[str, Path]]):
    """`FORMAT=PATH`."""

    name = "FORMAT=PATH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        if isinstance(value, tuple):
            return value
        format_, equals, path = str(value).partition("=")
        if not equals or not path or format_ not in FORMATS:
            self.fail(
                f"`{value}` is not FORMAT=PATH with one of the formats {', '.join(FORMATS)}", param, ctx
            )
        return format_, Path(path)


class Given(click.ParamType[tuple[str, str]]):
    """`SERVICE=REFERENCE`."""

    name = "SERVICE=REFERENCE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        service, equals, reference = str(value).partition("=")
        if not equals or not service or not reference:
            self.fail(f"`{value}` is not SERVICE=REFERENCE", param, ctx)
        return service, reference


def reporting(function: F) -> F:
    """Adds where the report goes, and what makes it fail."""
    for decorate in (
        click.option(
            "--report",
            "reports",
            type=_Report(),
            multiple=True,
            help="Also write the report to a file; may be repeated.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(list(FORMATS)),
            default="text",
            show_default=True,
            help="Format of the report on standard output.",
        ),
    ):
        function = decorate(function)
    return settings("policy.fail-on", "baseline.against", "baseline.new-only", "baseline.required")(function)


def settings(*paths: str) -> Callable[[F], F]:
    """Adds the flags of the configuration's options at `paths`; the command gets them as `flags`."""
    from hullmark._settings.options import flagged  # noqa: PLC0415  # of use to fewer commands, and takes longer

    options = flagged()

    def decorate(function: F) -> F:
        for path in reversed(paths):
            function = _flag(path, options[path])(function)
        return function

    return decorate


def project(function: F) -> F:
    """Adds which Compose project it is about."""
    for option in reversed(PROJECT.options):
        function = _flag(f"{PROJECT.key}.{option.key}", option)(function)
    return function


def services(function: F) -> F:
    """Adds the services to work on."""
    return click.argument("services", nargs=-1, metavar="[SERVICE]...")(function)


def top(function: F) -> F:
    """Adds how long tables are."""
    return click.option(
        "--top", type=click.IntRange(min=1), default=10, show_default=True, help="Rows of each table."
    )(function)


def transfer(function: F) -> F:
    """Adds whether blobs that nobody has made yet are measured."""
    return click.option(
        "--transfer",
        is_flag=True,
        help="Also estimate what a host pulls where that is not known, for which all layers are compressed.",
    )(function)


def stage_image(flag: str, of: str) -> Callable[[F], F]:
    """Adds, as `flag`, the stage that `of` is a squash of."""

    def decorate(function: F) -> F:
        return click.option(
            flag, metavar="IMAGE", help=f"The stage that {of} is a squash of, which need not be built then."
        )(function)

    return decorate


def stage_images(function: F) -> F:
    """Adds the stages that the images of services are squashes of."""
    return click.option(
        "--stage-image",
        "stages",
        type=Given(),
        multiple=True,
        help="The stage that the image of a service is a squash of, which need not be built then. May be repeated.",
    )(function)


def of_image(function: F) -> F:
    """Adds which of an image's platforms is meant, and how what is in it is reported."""
    function = click.option(
        "--format",
        "format_",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Format of the report; JSON has every row.",
    )(function)
    return platform(function)


def platform(function: F) -> F:
    """Adds which of an image's platforms is meant; raises `UsageError` for what is none."""

    def known(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
        from hullmark._images.platforms import asked_for  # noqa: PLC0415  # loaded when it is called

        asked_for(value)
        return value

    return click.option(
        "--platform", callback=known, help="Which one, of an image for several.  [default: this machine's]"
    )(function)


def _flag(path: str, option: Option) -> Callable[[F], F]:
    assert option.flag is not None
    many = not option.kind.scalar
    switch = option.kind.schema == {"type": "boolean"}
    default = f"  [default: {option.default}]" if option.default else ""
    environment = f"  [env: {option.environment}]" if option.environment else ""

    def keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        text = ",".join(value) if many else ("true" if value else None) if switch else value
        if value not in (None, ()) and not text and not switch:
            raise click.BadParameter("it must not be empty", ctx, param)
        if text:
            ctx.meta.setdefault("hullmark.flags", {})[path] = text

    return click.option(
        *SHORT.get(path, ()),
        option.flag,
        **(
            {"is_flag": True}
            if switch
            else {
                "multiple": many,
                "metavar": option.kind.name.upper() if option.kind.name.isalpha() else None,
                "type": click.Choice(option.kind.schema["enum"]) if "enum" in option.kind.schema else str,
            }
        ),
        expose_value=False,
        callback=keep,
        help=f"{option.help}{default}{environment}",
    )


def flags() -> dict[str, str]:
    """The configuration that the command line gave, by option path."""
    return dict(click.get_current_context().meta.get("hullmark.flags", {}))
