"""One development session: the stack is started, followed, and stopped again."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._dev.lines import LogLine, parse
from hullmark._dev.ports import conflicts, moved, published
from hullmark._engines import too_old_to_watch
from hullmark.errors import CommandFailed, Interrupted, Unavailable
from hullmark.model.exit import exit_meaning
from hullmark.model.service_run import STEADY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker.models.containers import Container

    from hullmark._dev.ports import Conflict
    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.project import Project

_TICK = 0.2
_LOOK_AGAIN = 1.0
"""Seconds after which the containers are looked at though nothing was said of them."""
_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_FILES = "com.docker.compose.project.config_files"
_TLS = frozenset({443, 8443})
_NO_BROWSER = frozenset({5432, 3306, 6379, 27017, 9092, 5672, 11211, 25, 22})
"""Ports of well-known services that no browser speaks to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a port of a service answers on this host."""

    service: str
    url: str


@dataclass(kw_only=True)
class Development:
    """The stack of `project`, under its own name: what Compose would start, with what people watch it by.

    Each method raises `Unavailable` when the engine goes away, `CommandFailed` when Compose fails, and `Interrupted`
    when the user asks to stop.
    """

    project: Project
    engine: Engine
    commands: Commands
    services: tuple[str, ...]
    """Which to start, with what they depend on; all of them when empty."""
    tell: Callable[[str], None]
    """Is told what happens, a line each."""
    show: Callable[[LogLine], None]
    """Is given every line of the log."""
    conflicts: tuple[Conflict, ...] = ()
    """Ports that are published elsewhere; set by `start`."""
    _came_up: set[str] = field(default_factory=set)
    _running_since: dict[str, float] = field(default_factory=dict)
    """When each container was first seen running."""
    _began: float = 0.0
    """When this session was started, by the clock of this machine."""
    _events: queue.Queue[dict[str, Any] | None] = field(default_factory=queue.Queue)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The services that are started."""
        return self.project.needed(self.services)

    def other_files(self) -> str:
        """The Compose files that containers of this project were started from, where those are others."""
        for container in self._containers():
            files = container.labels.get(_FILES, "")
            # `-` is what was started with other ports: nothing can be said of its files.
            if files and "-" not in files.split(",") and files != ",".join(map(str, self.project.files)):
                return str(files)
        return ""

    def start(self, *, build: bool, strict_ports: bool) -> None:
        """Brings the stack up; a port that is taken is published elsewhere, or with `strict_ports` an error."""
        self._began = time.time()
        self.conflicts = conflicts(self.project, self.wanted, self.engine)
        if self.conflicts and strict_ports:
            raise Unavailable(
                "\n".join(str(each) for each in self.conflicts),
                hint="stop what holds it, or leave out --strict-ports",
            )
        for each in self.conflicts:
            self.tell(f"{each}; it answers at {each.instead} instead")
        if build:
            self._compose("build", *self.services)
        argv, stdin = self._composing()
        self._run((*argv, "up", "-d", *self.services), stdin)

    def _composing(self) -> tuple[tuple[str, ...], str | None]:
        """The `docker compose` that has the ports of this session, and what it is to read."""
        # Only with other ports is the configuration another one than that of the files.
        if not self.conflicts:
            return ("docker", "compose", *self.project.compose_arguments), None
        argv = ("docker", "compose", "-p", self.project.name, *self._place(), "-f", "-")
        return argv, moved(self.project, self.conflicts)

    def _place(self) -> tuple[str, ...]:
        """What tells Compose where paths start, without the files."""
        words, kept = iter(self.project.compose_arguments), []
        for word in words:
            if word == "-f":
                next(words)
            else:
                kept.append(word)
        return tuple(kept)

    def links(self) -> tuple[Link, ...]:
        """Where the published ports answer, those of services that are up."""
        elsewhere = {(each.published.service, each.published.port): each.instead for each in self.conflicts}
        found = []
        for each in published(self.project, self.wanted):
            port = elsewhere.get((each.service, each.port), each.port)
            # `localhost` is what certificates and browsers know; another address is meant as such.
            host = each.host if each.host not in {"", "0.0.0.0", "127.0.0.1", "::", "::1"} else "localhost"  # noqa: S104
            if each.target in _NO_BROWSER:
                url = f"{host}:{port}"
            elif each.target in _TLS:
                url = f"https://{host}" if port == 443 else f"https://{host}:{port}"  # noqa: PLR2004
            else:
                url = f"http://{host}" if port == 80 else f"http://{host}:{port}"  # noqa: PLR2004
            found.append(Link(service=each.service, url=url))
        return tuple(found)

    def follow(
        self, *, watch: bool, on_up: Callable[[], None], on_failure: Callable[[str], None] = lambda _: None
    ) -> None:
        """Passes on logs and events until every container has ended.

        `on_up` is called once, when every service has come up, and `on_failure` with the name of a service of which
        it is certain that it will not. With `watch`, Compose syncs and rebuilds what the project says under `develop`.
        """
        stop = threading.Event()
        # Containers that were stopped and started again still have what they wrote in earlier sessions.
        since = ("--since", f"{self._began:.3f}") if self._began else ()
        logs = ("logs", "--follow", "--no-color", *since, *self.wanted)
        threads = [threading.Thread(target=self._stream, args=(logs, stop), daemon=True)]
        if watch and (watched := self._watched()):
            if why := too_old_to_watch(self.commands):
                self.tell(f"{why}: edits of {', '.join(watched)} are not synced")
            else:
                threads.append(threading.Thread(target=self._watch, args=(watched, stop), daemon=True))
        with self.engine.events(f"{_PROJECT}={self.project.name}") as stream:
            listener = threading.Thread(target=self._listen, args=(stream,), daemon=True)
            for thread in (*threads, listener):
                thread.start()
            try:
                self._attend(on_up, on_failure)
            finally:
                stop.set()
                # Each ends its program, which would outlive this one otherwise.
                for thread in threads:
                    thread.join()

    def stop(self, commands: Commands) -> None:
        """Stops the containers, and keeps them and their volumes; `commands` are some that were not cancelled."""
        commands.run(
            ("docker", "compose", "-p", self.project.name, *self._place(), "stop"), cwd=self.project.root
        ).check()

    def remove(self, *, volumes: bool) -> None:
        """Removes containers and networks, and with `volumes` also those."""
        self._compose("down", "--remove-orphans", *(["--volumes"] if volumes else []))

    # --- what goes on ----------------------------------------------------------------------------------------------

    def _attend(self, on_up: Callable[[], None], on_failure: Callable[[str], None]) -> None:
        announced = False
        looked = 0.0
        while True:
            if self.engine.cancelled.is_set():
                raise Interrupted
            happened = self._take_events()
            # Looking costs a request for each container; what comes before the first event was missed by it.
            if not happened and time.monotonic() - looked < _LOOK_AGAIN:
                continue
            looked = time.monotonic()
            containers = self._containers()
            for container in containers:
                if self._see(container):
                    on_failure(container.labels[_SERVICE])
            if not announced and self._came_up >= set(self.wanted):
                announced = True
                on_up()
            if containers and all(each.status in {"exited", "dead"} for each in containers):
                # The engine shows the end of a container before it tells of it.
                while self._take_events():
                    pass
                return

    def _see(self, container: Container) -> bool:
        """Notes a service that is up: healthy, or running where it has no health check, or done.

        Whether it has failed for good is the result: it is unhealthy, or has exited and nobody starts it again.
        """
        state = container.attrs["State"]
        health = (state.get("Health") or {}).get("Status")
        done = state["Status"] == "exited" and state["ExitCode"] == 0
        steady = False
        if state["Status"] == "running" and health is None:
            now = time.monotonic()
            steady = now - self._running_since.setdefault(str(container.id), now) >= STEADY
        if done or steady or (state["Status"] == "running" and health == "healthy"):
            self._came_up.add(container.labels[_SERVICE])
        policy = (container.attrs["HostConfig"].get("RestartPolicy") or {}).get("Name") or "no"
        return health == "unhealthy" or (
            state["Status"] in {"exited", "dead"} and not done and policy == "no"
        )

    def _take_events(self) -> bool:
        """Tells of what has happened; waits a moment for it, and says whether there was anything."""
        happened = False
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get(timeout=0 if happened else _TICK)
                if event is None:
                    raise Unavailable("the engine stopped telling what happens", hint="`docker version`")
                happened = True
                self._announce(event)
        return happened

    def _announce(self, event: dict[str, Any]) -> None:
        attributes = event["Actor"]["Attributes"]
        service, action = attributes.get(_SERVICE, "?"), event["Action"]
        match action:
            case "health_status: unhealthy":
                self.tell(f"{service} is unhealthy: {self._health(event['Actor']['ID'])}")
            case "health_status: healthy":
                self.tell(f"{service} is healthy")
            case "die":
                code = attributes.get("exitCode", "?")
                meaning = exit_meaning(int(code)) if code.isdecimal() else ""
                self.tell(f"{service} exited with {code}{f' ({meaning})' if meaning else ''}")
            case "oom":
                self.tell(f"{service} ran out of memory")
            case _:
                pass

    def _health(self, container: str) -> str:
        from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

        with contextlib.suppress(APIError):
            state = self.engine.client.containers.get(container).attrs["State"]
            log = (state.get("Health") or {}).get("Log") or []
            lines = log[-1]["Output"].strip().splitlines() if log else []
            if lines:
                return str(lines[-1])
        return "its health check says nothing"

    def _listen(self, stream: Iterator[dict[str, Any]]) -> None:
        began = time.time()
        # It ends when the context is left; what it said until then has been passed on.
        with contextlib.suppress(Exception):
            for event in stream:
                # The engine first tells what it remembers of earlier sessions.
                if event.get("timeNano", 0) / 1e9 >= began - 1:
                    self._events.put(event)
        self._events.put(None)

    def _watch(self, services: tuple[str, ...], stop: threading.Event) -> None:
        """Has Compose sync and rebuild `services` until `stop` is set, and tells when it gives up before."""
        code = self._stream(("watch", "--no-up", *services), stop)
        if code is not None and not stop.is_set() and not self.engine.cancelled.is_set():
            self.tell(
                f"`docker compose watch` has ended with exit status {code}: edits are not synced any more"
            )

    def _stream(self, words: tuple[str, ...], stop: threading.Event) -> int | None:
        """Shows what Compose prints until `stop` is set; its exit status, where it came to that."""
        names = {each.name or "": each.labels[_SERVICE] for each in self._containers()}

        def on_line(text: str) -> None:
            if stop.is_set() or self.engine.cancelled.is_set():
                return  # Compose tells of its own end
            line = parse(text, names)
            # That a container has ended is told by the engine, too, and in more words.
            if line is not None or " exited with code " not in text:
                self.show(line if line is not None else LogLine(service="compose", text=text))

        argv, stdin = self._composing()
        with contextlib.suppress(Interrupted, Unavailable):
            return self.commands.follow(
                (*argv, *words), cwd=self.project.root, stdin=stdin, on_line=on_line, stop=stop
            )
        return None

    def _watched(self) -> tuple[str, ...]:
        raw = json.loads(self.project.resolved).get("services") or {}
        return tuple(name for name in self.wanted if (raw.get(name, {}).get("develop") or {}).get("watch"))

    def _containers(self) -> list[Container]:
        found: list[Container] = self.engine.client.containers.list(
            all=True, filters={"label": f"{_PROJECT}={self.project.name}"}, ignore_removed=True
        )
        return [each for each in found if each.labels.get(_SERVICE) in self.wanted]

    def _compose(self, *words: str) -> None:
        self._run(("docker", "compose", *self.project.compose_arguments, *words))

    def _run(self, argv: tuple[str, ...], stdin: str | None = None) -> None:
        completed = self.commands.run(argv, cwd=self.project.root, stdin=stdin, on_line=self.tell)
        if completed.returncode != 0:
            # What it printed has been shown while it ran.
            hint = "what it says stands above; piped into `hullmark doctor`, it is told what it means"
            raise CommandFailed(argv, completed.returncode, "", hint=hint)
