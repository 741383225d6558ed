"""However a run ends, nothing of it stays."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess

    from tests.e2e.conftest import Tale

    from hullmark._engines import Engine

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

RUN = "io.hullmark.run"
PROJECT = "hullmark-tale-"


def _left(engine: Engine, run: str) -> list[str]:
    """Everything of the run called `run` that the engine still holds."""
    client = engine.client
    filters: dict[str, str | list[str] | bool] = {"label": f"{RUN}={run}"}
    return [
        *(str(each.name) for each in client.containers.list(all=True, filters=filters, ignore_removed=True)),
        *(str(each.name) for each in client.networks.list(filters=filters)),
        *(str(each.name) for each in client.volumes.list(filters=filters)),
        *(str(each.name) for each in client.networks.list(names=[run])),
    ]


def _runs(engine: Engine) -> set[str]:
    filters: dict[str, str | list[str] | bool] = {"label": RUN}
    return {
        each.labels[RUN]
        for each in engine.client.containers.list(all=True, filters=filters, ignore_removed=True)
    }


def _started(tale: Tale, engine: Engine) -> tuple[subprocess.Popen[str], str]:
    """A smoke test whose containers are coming up, and the name of its run."""
    before = _runs(engine)
    process = tale.start("smoke", "--no-build")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        new = [
            run for run in _runs(engine) - before if run.startswith(PROJECT) and len(_left(engine, run)) > 4
        ]
        if new:
            return process, new[0]
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.kill()
    raise AssertionError("the stack was not started within a minute")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_run_that_is_asked_to_stop_removes_everything(
    tale: Tale, engine: Engine, number: signal.Signals
) -> None:
    tale.run("build")
    process, run = _started(tale, engine)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stdout == ""
    assert "Traceback" not in stderr
    assert "interrupted" in stderr
    assert _left(engine, run) == []


def test_the_next_run_removes_what_a_killed_one_left(tale: Tale, engine: Engine) -> None:
    tale.run("build")
    process, run = _started(tale, engine)
    process.kill()
    process.communicate(timeout=60)
    assert _left(engine, run)
    tale.run("validate", "proxy")
    assert _left(engine, run) == []


def test_a_run_leaves_the_developers_own_copy_alone(tale: Tale, engine: Engine) -> None:
    tale.run("build", "crawler")
    compose = (tale.root / "compose.yml").read_text(encoding="utf-8")
    (tale.root / "compose.yml").write_text(
        "name: hullmark-tale-own\nservices:\n  web:\n    image: tale-crawler:${VERSION}\n    build:\n"
        "      context: .\n      dockerfile: services/crawler/Dockerfile\n      secrets: [ca]\n"
        "    container_name: ${VERSION}-web\n    command: [python3, -m, http.server, '8080', --directory, /tmp]\n"
        "    init: true\n    healthcheck: {test: [CMD, 'true'], interval: 1s}\n"
        "    ports: ['127.0.0.1:18642:8080']\n    volumes: ['data:/data']\nvolumes: {data: {}}\n"
        f"secrets:{compose.split('secrets:')[-1]}",
        encoding="utf-8",
    )
    (tale.root / "hullmark.toml").write_text(
        '[[services.web.probes]]\nhttp = "/"\nport = 8080\n', encoding="utf-8"
    )
    import subprocess

    name = f"own-{tale.version.replace('.', '-')}"
    own = ["docker", "compose", "--project-directory", str(tale.root), "-p", name]
    subprocess.run(
        [*own, "up", "-d", "--no-build"], env=tale.environ, check=True, capture_output=True, timeout=120
    )
    try:
        container = engine.client.containers.get(f"{tale.version}-web")
        outcome = tale.run("smoke", "--no-build")
        assert outcome.exit_code == 0, outcome.report["findings"]
        container.reload()
        assert container.status == "running"
        assert engine.client.volumes.list(filters={"name": f"{name}_data"})
    finally:
        subprocess.run(
            [*own, "down", "-v", "-t", "0"], env=tale.environ, check=True, capture_output=True, timeout=120
        )
