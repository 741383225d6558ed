"""A service as the Compose files declare it; what rules about Compose look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.location import SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPort:
    """A fixed port of the host that a service is published on."""

    port: int
    span: SourceSpan
    protocol: str = "tcp"
    address: str = ""
    """The address of the host that it is bound to; empty stands for all of them."""

    def meets(self, other: HostPort) -> bool:
        """Whether the host cannot give both at the same time."""
        everywhere = {"", "0.0.0.0", "::"}  # noqa: S104  # compared, not bound
        shared = self.address == other.address or self.address in everywhere or other.address in everywhere
        return self.port == other.port and self.protocol == other.protocol and shared

    def __str__(self) -> str:
        address = f"{self.address}:" if self.address else ""
        suffix = "" if self.protocol == "tcp" else f"/{self.protocol}"
        return f"{address}{self.port}{suffix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What another service, of this project or of its test stack, takes of what there is only once."""

    service: str
    file: str | None = None
    """The file that makes the test stack of the project; `None` for a service of the project itself."""
    container_name: str | None = None
    ports: tuple[HostPort, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A variable whose value is written into a Compose file as it is."""

    name: str
    value: str
    span: SourceSpan
    variable: str | None = None
    """The variable that `value` is the default of, where it is not the value itself."""
    key: str = ""
    """The key that it stands at, where it is no variable: `build.args.NPM_TOKEN`."""
    told: bool = False
    """Whether what stands before it, `name`, is known to tell that it is a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFile:
    """An environment file of the project that is in its repository."""

    path: str
    """Relative to the project's root."""
    variables: tuple[Literal, ...] = field(repr=False)
    """Those with a value of their own, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """A service that another waits for to become healthy."""

    service: str
    span: SourceSpan
    unchecked: bool = False
    """Whether it certainly has no health check."""
    image: str | None = None
    """The image of others that its health check has to come from, as the Compose file says nothing of one."""
    known: bool = True
    """Whether it is known what that image has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A path of the host that is mounted into a service."""

    source: str
    target: str
    span: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """One service of the resolved project, each fact with its place in the files."""

    service: str
    span: SourceSpan
    image: str | None = None
    """What is run, where it is not built here."""
    image_span: SourceSpan | None = None
    container_name: str | None = None
    container_name_span: SourceSpan | None = None
    ports: tuple[HostPort, ...] = ()
    literals: tuple[Literal, ...] = ()
    """Its variables."""
    texts: tuple[Literal, ...] = field(default=(), repr=False)
    """What it says besides; `name` is empty where that says nothing of the value. The first service of a project also
    has what belongs to none."""
    awaited: tuple[Awaited, ...] = ()
    bound: tuple[Bound, ...] = ()
    privileged: SourceSpan | None = None
    """Where the service is made privileged."""
    memory_limited: bool = False
    claims: tuple[Claim, ...] = ()
    """What all other services take, those of the test stack among them."""
