"""A copy runs beside the original on a real engine, and neither notices the other."""

from __future__ import annotations

import json
import secrets
import socket
from typing import TYPE_CHECKING

import pytest

from hullmark._compose import carrier, isolate, resolve
from hullmark._settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hullmark._process import Commands

pytestmark = pytest.mark.docker

COMPOSE = """
name: {name}
x-base: &base
  image: debian:bookworm-slim
  init: true
services:
  db:
    <<: *base
    command: [bash, -c, "printf hello > /data/x && sleep 300"]
    container_name: {name}-fixed
    networks: {{inner: {{ipv4_address: {subnet}.7}}}}
    volumes: ["data:/data"]
    secrets: [word]
    ports: ["127.0.0.1:{port}:5432"]
  host:
    <<: *base
    command: [sleep, "300"]
    network_mode: host
    profiles: [on]
  side:
    <<: *base
    command: [sleep, "300"]
    network_mode: "service:db"
  web:
    <<: *base
    command: [sleep, "300"]
    networks: [inner]
networks:
  inner:
    name: {name}_fixed
    internal: true
    ipam: {{config: [{{subnet: {subnet}.0/24}}]}}
volumes:
  data: {{name: {name}_fixed}}
secrets:
  word: {{environment: WORD}}
"""


@pytest.fixture
def stack(commands: Commands) -> Iterator[Callable[..., str]]:
    """Runs `docker compose` on a project; all of them are gone at the end."""
    known: dict[str, tuple[tuple[str, ...], str | None]] = {}

    def compose(name: str, options: tuple[str, ...], *words: str, stdin: str | None = None) -> str:
        known[name] = (options, stdin)
        argv = ("docker", "compose", "-p", name, *options, *words)
        return commands.run(argv, stdin=stdin, timeout=120).check().stdout

    yield compose
    for name, (options, stdin) in known.items():
        argv = ("docker", "compose", "-p", name, *options, "down", "-v", "-t", "0", "--remove-orphans")
        commands.run(argv, stdin=stdin, timeout=120).check()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_copy_runs_beside_its_original_with_everything_that_is_fixed_in_it(
    tmp_path: Path, commands: Commands, stack: Callable[..., str]
) -> None:
    name = f"hullmark-test-{secrets.token_hex(4)}"
    subnet = f"10.{200 + secrets.randbelow(50)}.{secrets.randbelow(250)}"
    (tmp_path / "compose.yml").write_text(
        COMPOSE.format(name=name, subnet=subnet, port=_free_port()), encoding="utf-8"
    )
    (tmp_path / "test.env").write_text("WORD=secret\n", encoding="utf-8")
    (tmp_path / "hullmark.toml").write_text(
        '[project]\nenv-file = "test.env"\nprofiles = ["on"]\n', encoding="utf-8"
    )
    project = resolve(tmp_path, load_settings(tmp_path, {}), commands)
    stack(name, project.compose_arguments, "up", "-d")
    original = (
        "docker",
        "inspect",
        "-f",
        "{{.State.StartedAt}} {{json .NetworkSettings.Ports}}",
        f"{name}-fixed",
    )
    before = commands.run(original).check().stdout

    copy = f"{name}-copy"
    assert carrier(project, "side") == "db"
    text = isolate(
        project, name=copy, labels={"hullmark-test": copy}, reach={"web": [80], "side": [81]}
    ).configuration
    options = ("--env-file", str(tmp_path / "test.env"), "-f", "-")
    stack(copy, options, "up", "-d", stdin=text)

    listed = stack(copy, options, "ps", "--format", "json", stdin=text)
    containers = {each["Service"]: each for each in map(json.loads, listed.splitlines())}
    assert {service: each["State"] for service, each in containers.items()} == dict.fromkeys(
        ("db", "host", "side", "web"), "running"
    )
    published = {
        service: {
            (port["URL"], port["TargetPort"]) for port in each["Publishers"] or () if port["PublishedPort"]
        }
        for service, each in containers.items()
    }
    assert published["web"] == {("127.0.0.1", 80)}
    assert published["db"] == {("127.0.0.1", 81), ("127.0.0.1", 5432)}

    def inside(service: str, script: str) -> str:
        return stack(copy, options, "exec", "-T", service, "bash", "-c", script, stdin=text)

    # The fixed name is known inside of the copy, and means the copy's own.
    own = inside("db", "hostname -I").split()
    assert inside("web", f"getent hosts {name}-fixed").split()[0] in own
    assert f"{subnet}.7" not in own
    # What could not reach the world still cannot.
    out = "timeout 3 bash -c 'echo > /dev/tcp/192.0.2.1/80' 2>/dev/null && echo out || echo kept in"
    assert inside("web", out) == "kept in\n"
    assert inside("db", "cat /run/secrets/word") == "secret"
    assert commands.run(original).check().stdout == before
