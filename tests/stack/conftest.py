"""The reference stack: built once per run under a version of its own, started in projects that leave nothing behind."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

TALE = Path(__file__).resolve().parents[2] / "examples" / "tale"
TEST_PAIR = ("-f", "compose.yml", "-f", "compose.test.yml", "--env-file", ".env.test")

T = TypeVar("T")

_CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_LEFTOVERS = {
    "container": ("container", "ls", "--all", "--quiet"),
    "network": ("network", "ls", "--quiet"),
    "volume": ("volume", "ls", "--quiet"),
}


def run_docker(*arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """What `docker` printed; fails with all it said when it fails."""
    completed = subprocess.run(
        ["docker", *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if completed.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments)}:\n{completed.stdout}{completed.stderr}")
    return completed.stdout


def wait_until(look: Callable[[], T | None], what: str, seconds: float = 180.0) -> T:
    """The first result of `look` that is true; what it raises on the way counts as "not yet"."""
    deadline = time.monotonic() + seconds
    while True:
        seen: object = None
        try:
            if found := look():
                return found
        except (OSError, AssertionError, ValueError) as error:
            seen = error
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s (last seen: {seen!r})")
        time.sleep(0.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Hand the redirect to the test instead of following it."""


def ask_over_http(url: str, body: object = None) -> Answer:
    """The answer of `url`, whatever its status; certificates are not verified and redirects not followed."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),  # noqa: S323, SLF001  # self-signed
        _NoRedirect,
    )
    request = urllib.request.Request(  # noqa: S310  # addresses of the stack only
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        response = opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            text=response.read().decode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A Compose project of the reference stack."""

    project: str
    version: str
    files: tuple[str, ...]
    root: Path = TALE
    environment: Mapping[str, str] = field(default_factory=dict)

    def compose(self, *arguments: str) -> str:
        """What `docker compose` with the files and the name of this project printed."""
        env = {"VERSION": self.version, **self.environment}
        return run_docker("compose", *self.files, "-p", self.project, *arguments, env=env, cwd=self.root)

    def container(self, service: str) -> dict[str, Any]:
        """The container of a service, running or not, as the engine describes it."""
        [identity] = self.compose("ps", "--all", "--quiet", service).split()
        [described] = json.loads(run_docker("container", "inspect", identity))
        return dict(described)

    def health(self, service: str) -> str:
        """What the health check of a service says."""
        return str(self.container(service)["State"]["Health"]["Status"])

    @contextmanager
    def beside(self, service: str, **environment: str) -> Iterator[Callable[..., str]]:
        """One more container of a service, with other settings and no ports; gives a way to run programs in it."""
        name = f"{self.project}-{service}-{secrets.token_hex(4)}"
        settings = [word for item in environment.items() for word in ("--env", "=".join(item))]
        try:
            self.compose("run", "--detach", "--no-deps", "--name", name, *settings, service)
            yield lambda *program: run_docker("exec", name, *program)
        finally:
            run_docker("container", "rm", "--force", "--volumes", name)

    def sql(self, statement: str) -> str:
        """What the database answered, over the socket of its container."""
        psql = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "tale", "-c", statement)
        return self.compose("exec", "-T", "--user", "postgres", "db", *psql).strip()

    def address(self, service: str, port: int) -> str:
        """Where a port is published, as host:port."""
        return self.compose("port", service, str(port)).strip()

    def leftovers(self) -> dict[str, str]:
        """What the engine still has of this project, by kind."""
        label = f"label=com.docker.compose.project={self.project}"
        found = {kind: run_docker(*command, "--filter", label) for kind, command in _LEFTOVERS.items()}
        return {kind: ids for kind, ids in found.items() if ids}


@contextmanager
def started(stack: Stack, *up: str) -> Iterator[Stack]:
    """The stack after `docker compose up` with the arguments `up`; all of it is removed, also when that fails."""
    assert not stack.leftovers(), f"somebody already runs the project {stack.project}"
    try:
        stack.compose("up", *up)
        yield stack
    finally:
        try:
            stack.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
        finally:
            assert not stack.leftovers()


class Docker(Protocol):
    """`run_docker`, as tests see it."""

    def __call__(
        self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> str: ...


class Eventually(Protocol):
    """`wait_until`, as tests see it."""

    def __call__(self, look: Callable[[], T | None], what: str, seconds: float = 180.0) -> T: ...


class Ask(Protocol):
    """`ask_over_http`, as tests see it."""

    def __call__(self, url: str, body: object = None) -> Answer: ...


class Start(Protocol):
    """`started`, for a project of the version that was built; without a name it gets one that nobody else has."""

    def __call__(
        self,
        *up: str,
        files: tuple[str, ...] = TEST_PAIR,
        project: str | None = None,
        root: Path = TALE,
        environment: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Stack]: ...


@pytest.fixture(scope="session")
def docker() -> Docker:
    """Calls `docker`."""
    return run_docker


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Waits until something is so."""
    return wait_until


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Asks over HTTP."""
    return ask_over_http


@pytest.fixture(scope="session")
def tale() -> Path:
    """The directory of the reference stack."""
    return TALE


@pytest.fixture(scope="session")
def version() -> Iterator[str]:
    """The version that all five images were built as by `docker compose build`; they are removed at the end."""
    # A tag of its own, so that nobody's `dev` images change; the build cache makes that cheap.
    version = f"stack-{secrets.token_hex(4)}"
    env = {"VERSION": version}
    if _CA_BUNDLE.exists():
        # Builds trust whom this machine trusts, which matters where TLS is intercepted.
        env["SSL_CERT_FILE"] = os.environ.get("SSL_CERT_FILE") or str(_CA_BUNDLE)
    try:
        run_docker("compose", "build", env=env, cwd=TALE)
        yield version
    finally:
        # By label and not by name: `up --build` adds labels of its own and leaves the image before it without a name.
        label = f"label=org.opencontainers.image.version={version}"
        if built := set(run_docker("image", "ls", "--quiet", "--no-trunc", "--filter", label).split()):
            run_docker("image", "rm", "--force", *built)


@pytest.fixture(scope="session")
def start(version: str) -> Start:
    """Starts projects of the reference stack."""

    def started_as(
        *up: str,
        files: tuple[str, ...] = TEST_PAIR,
        project: str | None = None,
        root: Path = TALE,
        environment: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Stack]:
        stack = Stack(
            project=project or f"tale-{secrets.token_hex(4)}",
            version=version,
            files=files,
            root=root,
            environment=environment or {},
        )
        return started(stack, *up)

    return started_as


@pytest.fixture(scope="module")
def test_stack(start: Start) -> Iterator[Stack]:
    """The test pair of the quick reference, up and healthy on the ports and under the name that the guide gives it."""
    with _only_one(), start("-d", "--wait", project="tale-test") as stack:
        yield stack


@contextmanager
def _only_one() -> Iterator[None]:
    with (TALE / "compose.test.yml").open(
        "rb"
    ) as file:  # a file that is there anyway, so nothing is left behind
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
