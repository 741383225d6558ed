"""A Docker engine that answers and is new enough."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import docker
    from docker.types.daemon import CancellableStream

    from hullmark._process import Commands

OLDEST_ENGINE = (24, 0)
OLDEST_COMPOSE = (2, 20)
WATCH_SINCE = (2, 22)
"""The Compose that introduced `watch`."""
START_INTERVAL_SINCE = (25, 0)
"""The engine that introduced a separate health check interval for the start period."""
ANSWER_WITHIN = 120
"""Seconds that the engine may take for one answer."""
_ASKED_WITH = "1.40"
"""An API version for a request that does not depend on it."""
_INSTALL = "install Docker Engine 24.0 or newer with Compose 2.20 or newer, or start it; `docker version` says the same"
_NOT_ALLOWED = (
    "add yourself to the group `docker` (`sudo usermod -aG docker $USER`, then log in again), or run as root"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A reachable engine."""

    client: docker.DockerClient
    version: tuple[int, int]
    host: str
    tls: Any = False
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the user asks to stop; ends what streams from the engine."""

    @property
    def has_start_interval(self) -> bool:
        """Whether health checks can be tried more often while a container starts."""
        return self.version >= START_INTERVAL_SINCE

    @contextlib.contextmanager
    def events(self, label: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Every event of containers that carry `label`; ends for whoever reads them when the context is left.

        None is missed, however early it comes: those that the engine still remembers are told first.
        """
        import docker  # noqa: PLC0415  # loaded when the engine was connected

        # A client of its own: this one reads without a time limit, because a quiet stack has no events.
        listener = docker.APIClient(
            base_url=self.host,
            tls=self.tls,
            version=self.client.api.api_version,
            timeout=None,  # type: ignore[arg-type]  # none is what requests takes
        )
        try:
            # The engine answers before it subscribes, so "from now on" would begin a moment too late.
            stream: CancellableStream[dict[str, Any]] = listener.events(
                decode=True, since=1, filters={"type": "container", "label": label}
            )
            try:
                yield stream
            finally:
                # A stream that the engine has ended has no socket left to close.
                with contextlib.suppress(OSError, AttributeError):
                    stream.close()
        finally:
            listener.close()


def connect(commands: Commands, environ: Mapping[str, str], cancelled: threading.Event) -> Engine:
    """The engine that the Docker CLI would use: `DOCKER_HOST`, or else the current context.

    Raises `Unavailable` when none answers, or when Engine or Compose is older than what is needed.
    """
    engine = reach(environ, cancelled)
    try:
        check_compose(commands)
    except BaseException:
        engine.client.close()
        raise
    return engine


def reach(environ: Mapping[str, str], cancelled: threading.Event) -> Engine:
    """The same engine, whatever there is of Compose.

    Raises `Unavailable` when none answers, or when it is older than what is needed.
    """
    import docker  # noqa: PLC0415  # a tenth of a second, paid only where an engine is used

    host, tls = _endpoint(environ)
    version, api_version = _ask(host, tls)
    client = docker.DockerClient(base_url=host, tls=tls, version=api_version, timeout=ANSWER_WITHIN)
    return Engine(client=client, version=version, host=host, tls=tls, cancelled=cancelled)


@contextlib.contextmanager
def api_of(
    environ: Mapping[str, str], *, called: str = "Docker engine", hint: str = _INSTALL
) -> Iterator[tuple[docker.APIClient, str]]:
    """The interface of the engine that the Docker CLI would use, and where that is; for reading what it has.

    The version is what the engine speaks, whichever that is. Raises `Unavailable` when none answers: no `called`, with
    `hint`.
    """
    import docker  # noqa: PLC0415  # a tenth of a second, paid only where an engine is used
    from docker.errors import DockerException  # noqa: PLC0415

    host, tls = _endpoint(environ)
    try:
        _knock(host)
        with contextlib.closing(
            docker.APIClient(base_url=host, tls=tls, version=_ASKED_WITH, timeout=ANSWER_WITHIN)
        ) as asking:
            version = str(asking.version(api_version=False)["ApiVersion"])
    except (DockerException, OSError, KeyError, TypeError) as error:
        raise _unreachable(host, error, called, hint) from error
    with contextlib.closing(
        docker.APIClient(base_url=host, tls=tls, version=version, timeout=ANSWER_WITHIN)
    ) as api:
        yield api, host


def _unreachable(
    host: str, error: Exception, called: str = "Docker engine", hint: str = _INSTALL
) -> Unavailable:
    if isinstance(error, KeyError | TypeError):
        return Unavailable(f"what answers at {host} is no {called}", hint=hint)
    reason = _reason(error)
    if reason == "permission denied" and hint == _INSTALL:
        hint = _NOT_ALLOWED
    return Unavailable(f"no {called} answers at {host}: {reason}", hint=hint)


def _ask(host: str, tls: Any) -> tuple[tuple[int, int], str]:
    """The versions of the engine at `host` and of its API; raises `Unavailable` when it will not do."""
    import docker  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415

    try:
        _knock(host)
        with contextlib.closing(
            docker.APIClient(base_url=host, tls=tls, version=_ASKED_WITH, timeout=ANSWER_WITHIN)
        ) as api:
            answer: Mapping[str, Any] = api.version(api_version=False)
        found, api_version = str(answer["Version"]), str(answer["ApiVersion"])
    except (DockerException, OSError, KeyError, TypeError) as error:
        raise _unreachable(host, error) from error
    version = _version(found)
    if version < OLDEST_ENGINE:
        raise Unavailable(
            f"the Docker engine at {host} is version {found}; hullmark needs {_dotted(OLDEST_ENGINE)} or newer",
            hint="upgrade Docker Engine",
        )
    return version, api_version


def _knock(host: str) -> None:
    """Raises `OSError` when `host` is a socket of this machine that nobody answers at.

    The client for the engine would say so, too, but not close the socket that it tried.
    """
    scheme, _, path = host.partition("://")
    if scheme.endswith("unix"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
            knocking.settimeout(ANSWER_WITHIN)
            knocking.connect(path)


def check_compose(commands: Commands) -> str:
    """The version of Compose; raises `Unavailable` when it is missing or too old."""
    compose = commands.run(("docker", "compose", "version", "--short"), timeout=60)
    if compose.returncode != 0:
        raise Unavailable(
            "the Docker CLI has no Compose plugin", hint="install the Docker Compose plugin, 2.20 or newer"
        )
    if _version(compose.stdout) < OLDEST_COMPOSE:
        raise Unavailable(
            f"Docker Compose is version {compose.stdout.strip()}; hullmark needs {_dotted(OLDEST_COMPOSE)} or newer",
            hint="upgrade the Docker Compose plugin",
        )
    return compose.stdout.strip()


def too_old_to_watch(commands: Commands) -> str:
    """Why Compose cannot watch files, if it cannot; raises what `check_compose` raises."""
    version = check_compose(commands)
    if _version(version) >= WATCH_SINCE:
        return ""
    return f"Docker Compose is version {version}, and watches files since {_dotted(WATCH_SINCE)}"


def _endpoint(environ: Mapping[str, str]) -> tuple[str, Any]:
    from docker.context import ContextAPI  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    if environ.get("DOCKER_HOST"):
        chosen = kwargs_from_env(environment=dict(environ))
        return str(chosen["base_url"]), chosen.get("tls", False)
    try:
        context = ContextAPI.get_context(environ.get("DOCKER_CONTEXT"))
    except (DockerException, OSError, ValueError) as error:
        raise Unavailable(
            f"the current Docker context cannot be read: {error}", hint="`docker context ls`"
        ) from error
    if context is None:
        raise Unavailable(
            f"there is no Docker context `{environ.get('DOCKER_CONTEXT')}`", hint="`docker context ls`"
        )
    tls: Any = context.TLSConfig
    return context.Host or "unix:///var/run/docker.sock", tls or False


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"v?(\d+)\.(\d+)", text.strip())
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)


def _reason(error: BaseException) -> str:
    """The innermost cause, which is the one that says something."""
    text = str(error)
    for reason in ("No such file or directory", "Connection refused", "Permission denied", "timed out"):
        if reason in text:
            return reason[0].lower() + reason[1:]
    return text
