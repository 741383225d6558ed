"""From what a user calls an image to the image: which source it is of, and what is tried where that is not said."""

from __future__ import annotations

import importlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullmark._images.cache import Cache
from hullmark._images.complete import complete
from hullmark._images.interface import Request
from hullmark._images.misnamed import check_bare, check_name, forms_said, is_plain_file, meant_path
from hullmark._images.platforms import asked_for
from hullmark._process import SystemCommands
from hullmark.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._images.interface import Source
    from hullmark._process import Commands
    from hullmark.model.image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A way to name a source."""

    module: str
    source: str
    """Its class, which is loaded when an image is asked for."""
    form: str
    """What comes after the scheme."""
    reaches_out: bool = True
    """Whether it is made with the programs and the environment of this machine."""


SCHEMES: Mapping[str, Scheme] = {
    "docker": Scheme(module="docker", source="Docker", form="NAME"),
    "podman": Scheme(module="docker", source="Podman", form="NAME"),
    "registry": Scheme(module="registry", source="Registry", form="REFERENCE"),
    "oci-dir": Scheme(module="layout", source="OciDirectory", form="PATH[:TAG]", reaches_out=False),
    "oci-archive": Scheme(module="layout", source="OciArchive", form="PATH[:TAG]", reaches_out=False),
    "docker-archive": Scheme(module="saved", source="DockerArchive", form="PATH[:TAG]", reaches_out=False),
}
"""Everything that an image can be read from; a reference is `SCHEME:` and its form."""


def candidates(reference: str) -> tuple[tuple[str, str], ...]:
    """The schemes that `reference` may mean, each with what comes after it, in the order in which they are tried.

    A scheme that is written is the only one. A name with the host of a registry is looked for there, and then in the
    engine; any other name in the engine only, so that no image is taken from a registry by mistake. Raises `UsageError`,
    with what was probably meant, for what can be no name.
    """
    scheme, colon, rest = reference.partition(":")
    if colon and scheme in SCHEMES:
        if not rest:
            raise UsageError(f"`{reference}` names no image; expected `{scheme}:{SCHEMES[scheme].form}`")
        if SCHEMES[scheme].reaches_out:
            check_name(rest, reference)
        return ((scheme, rest),)
    if not reference:
        raise UsageError("an image has no empty name")
    check_bare(reference, _forms())
    host, slash, _ = reference.partition("/")
    if slash and (host == "localhost" or {".", ":"} & set(host)):
        return (("registry", reference), ("docker", reference))
    return (("docker", reference),)


def _forms() -> tuple[str, ...]:
    return tuple(f"{name}:{scheme.form}" for name, scheme in SCHEMES.items())


def open_image(
    reference: str,
    *,
    platform: str | None = None,
    request: Request | None = None,
    environ: Mapping[str, str],
    commands: Commands | None = None,
    cancelled: threading.Event | None = None,
    cache: Cache | None = None,
) -> Image:
    """The image that `reference` names, for `platform` or, where it is there for several, for this host's.

    Raises `UsageError` for what names no image or no platform, `Unavailable`, with every attempt, where it is not to be had,
    `DamagedImage` for what contradicts itself, and `Interrupted` soon after `cancelled` is set.
    """
    cancelled = cancelled or threading.Event()
    request = request or Request()
    request = replace(request, limits=request.limits.set_by(environ))
    cache = cache or Cache.at(environ)
    commands = commands or SystemCommands(environ, cancelled)
    asked_for(platform)
    attempts: list[tuple[str, Unavailable]] = []
    for scheme, name in candidates(reference):
        source = _source(SCHEMES[scheme], environ, commands)
        try:
            with source.open(name, platform, request, cancelled) as core:
                return complete(core, request, cache, cancelled)
        except Unavailable as error:
            attempts.append((scheme, error))
    bare = attempts[0][0] != reference.partition(":")[0]
    if bare and (meant := meant_path(reference)) is not None:
        told = attempts[0][1].message.splitlines()[0]
        raise UsageError(f"{told}; did you mean `{meant}`?")
    if bare and len(attempts) == 1 and is_plain_file(reference):
        first = attempts[0][1]
        told = f"`{reference}` is a file, and no archive; {forms_said(_forms())}"
        raise Unavailable(first.message, hint=f"{first.hint}; {told}" if first.hint else told) from first
    if len(attempts) == 1:
        raise attempts[0][1]
    told = "\n".join(f"  {scheme}: {error.message}" for scheme, error in attempts)
    raise Unavailable(f"there is no image `{reference}`:\n{told}", hint=attempts[0][1].hint)


def _source(scheme: Scheme, environ: Mapping[str, str], commands: Commands) -> Source:
    made = getattr(importlib.import_module(f"hullmark._images.{scheme.module}"), scheme.source)
    source: Source = made(commands=commands, environ=environ) if scheme.reaches_out else made()
    return source
