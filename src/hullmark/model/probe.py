"""What a service must do once it is up, as `hullmark.toml` writes it: a request, a statement, a line of its log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark.model.location import SourceSpan

DEFAULT_TIMEOUT = 15.0
GOOD = (range(200, 400),)
"""The statuses that pass where none is given: RFC 9110's successes and redirections."""


def statuses(expected: tuple[range, ...]) -> str:
    """HTTP statuses as they are written: `200`, `2xx`, `200-399`, several with `or` between them."""
    words = []
    for each in expected or GOOD:
        if len(each) == 1:
            words.append(str(each.start))
        elif len(each) == 100 and each.start % 100 == 0:  # noqa: PLR2004  # a class of statuses
            words.append(f"{each.start // 100}xx")
        else:
            words.append(f"{each.start}-{each.stop - 1}")
    return " or ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonExpectation:
    """What a JSON answer must hold at a place; exactly one of `equals`, `matches` and `exists` is given."""

    path: str
    """A query of RFC 9535, such as `$.items[0].id`; of several values that it finds one has to fit."""
    equals: str | None = None
    """The value as JSON text."""
    matches: str | None = None
    """A regular expression that is found in the value, as text."""
    exists: bool | None = None
    """Whether there has to be a value at all."""

    def __str__(self) -> str:
        if self.equals is not None:
            return f"`{self.path}` equal to {self.equals}"
        if self.matches is not None:
            return f"`{self.path}` matching `{self.matches}`"
        return f"{'a value' if self.exists else 'nothing'} at `{self.path}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """A request from the host that must be answered as expected.

    Texts may hold `${NAME}` for what stands in the environment or was captured by an earlier step.
    """

    path: str
    port: int
    """The port inside the container."""
    origin: SourceSpan
    name: str = ""
    tls: str = "off"
    """`off`, `verify`, or `insecure` (any certificate will do)."""
    ca: str | None = None
    """Absolute path of the certificates that are trusted instead of the machine's own."""
    method: str = "GET"
    host: str | None = None
    """The virtual host that is asked for."""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    json: str | None = None
    """A body as JSON text."""
    follow: bool = False
    """Whether redirections are followed."""
    within: float | None = None
    """Seconds that an answer may take."""
    status: tuple[range, ...] = ()
    """The statuses expected; `GOOD` when none is given."""
    body_contains: str | None = None
    body_matches: str | None = None
    """A regular expression."""
    json_holds: tuple[JsonExpectation, ...] = ()
    header_is: tuple[tuple[str, str], ...] = ()
    timeout: float = DEFAULT_TIMEOUT
    """Seconds within which an attempt must succeed."""

    def __str__(self) -> str:
        return self.name or self.request

    @property
    def request(self) -> str:
        """What is asked for, without what is sent along."""
        at = f" of {self.host}" if self.host else ""
        tls = "" if self.tls == "off" else " over TLS"
        return f"{self.method} {self.path}{at} at port {self.port}{tls}"

    @property
    def expected(self) -> str:
        """The answer that passes."""
        wanted = []
        if self.body_contains is not None:
            wanted.append(f"a body with `{self.body_contains}`")
        if self.body_matches is not None:
            wanted.append(f"a body matching `{self.body_matches}`")
        wanted += [f"header `{name}: {value}`" for name, value in self.header_is]
        wanted += [str(each) for each in self.json_holds]
        return " and ".join([f"status {statuses(self.status)}", *wanted])


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpProbe:
    """A port that must accept connections."""

    port: int
    origin: SourceSpan
    name: str = ""
    timeout: float = DEFAULT_TIMEOUT

    def __str__(self) -> str:
        return self.name or f"TCP connection to port {self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecProbe:
    """A command that must succeed inside the container."""

    command: tuple[str, ...]
    origin: SourceSpan
    name: str = ""
    text: str | None = None
    """Text that the output must hold."""
    timeout: float = DEFAULT_TIMEOUT

    def __str__(self) -> str:
        return self.name or f"exec {' '.join(self.command)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProbe:
    """A pattern that the log must hold, or must not."""

    pattern: str
    """A regular expression, searched in each line."""
    origin: SourceSpan
    absent: bool = False
    name: str = ""
    timeout: float = DEFAULT_TIMEOUT
    """Seconds within which it must appear, or as long as it must not."""

    def __str__(self) -> str:
        return self.name or f"log {'without' if self.absent else 'with'} `{self.pattern}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlProbe:
    """A statement that the database must execute, through the client in its container."""

    statement: str
    origin: SourceSpan
    name: str = ""
    client: str | None = None
    """`psql`, `mysql`, `mariadb` or `sqlite3`; otherwise the one that the container's environment speaks of."""
    user: str | None = None
    database: str | None = None
    rows: int | None = None
    """How many rows must come back."""
    text: str | None = None
    """Text that must stand in them."""
    timeout: float = DEFAULT_TIMEOUT

    def __str__(self) -> str:
        return self.name or f"sql {' '.join(self.statement.split())}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenApiProbe:
    """Every GET of the service's OpenAPI document that needs no parameter must be answered below 500."""

    document: HttpProbe
    """The request for the document; the others are like it."""
    origin: SourceSpan
    skip: tuple[str, ...] = ()
    """Paths that are not asked for."""
    name: str = ""
    timeout: float = DEFAULT_TIMEOUT

    def __str__(self) -> str:
        return self.name or f"every GET of {self.document.path} at port {self.document.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """What a step takes out of its answer for the steps behind it."""

    name: str
    pattern: str
    """A JSON path when it starts with `$`, otherwise a regular expression: its first group, or all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a flow."""

    action: HttpProbe | ExecProbe | SqlProbe
    service: str | None = None
    """Another service than the one that the probe belongs to."""
    until: float | None = None
    """Seconds for which it is repeated until it is as expected; `None` for a step that is tried once."""
    captures: tuple[Capture, ...] = ()

    def __str__(self) -> str:
        return f"{self.service}: {self.action}" if self.service else str(self.action)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowProbe:
    """Steps that must succeed one after another."""

    steps: tuple[Step, ...]
    origin: SourceSpan
    name: str = ""
    timeout: float = DEFAULT_TIMEOUT

    def __str__(self) -> str:
        return self.name or f"flow: {', then '.join(map(str, self.steps))}"


Probe = HttpProbe | TcpProbe | ExecProbe | LogProbe | SqlProbe | OpenApiProbe | FlowProbe


def reached(service: str, probe: Probe) -> Iterator[tuple[str, int]]:
    """The services, with their container ports, that `probe` of `service` must be able to reach from this host."""
    match probe:
        case HttpProbe(port=port) | TcpProbe(port=port) | OpenApiProbe(document=HttpProbe(port=port)):
            yield service, port
        case FlowProbe(steps=steps):
            for step in steps:
                if isinstance(step.action, HttpProbe):
                    yield step.service or service, step.action.port
        case ExecProbe() | LogProbe() | SqlProbe():
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRule:
    """A pattern that no line of a log may hold."""

    pattern: str
    """A regular expression."""
    origin: SourceSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of the environment that probes refer to."""

    name: str
    value: str = field(repr=False)
    """It may be a secret: never log or report it."""
