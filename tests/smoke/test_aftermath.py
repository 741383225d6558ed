"""What a smoke test leaves on purpose, what is removed on demand, and what happens to those who cannot wait."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._smoke.reap import clear, remove_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

WEB = """\
services:
  web:
    image: BOX
    command: [sh, -c, "echo the word is hunter22; exec httpd -f -p 8080 -h /www"]
    environment: {API_TOKEN: hunter22, MODE: plain-mode}
    ports: ["8080"]
    volumes: ["data:/data"]
    healthcheck: {test: [CMD, busybox, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/"], interval: 300ms}
volumes:
  data:
"""
NEVER = """\
services:
  web:
    image: BOX
    command: [sh, -c, "echo up and waiting; exec sleep 600"]
    healthcheck: {test: [CMD, "false"], interval: 200ms, start_period: 600s}
    volumes: ["data:/data"]
volumes:
  data:
"""


@dataclass(kw_only=True)
class Shell:
    """Runs `hullmark` in a directory, and knows which runs it began."""

    root: Path
    bench: Any

    def project(self, compose: str) -> None:
        (self.root / "compose.yml").write_text(
            compose.replace("BOX", self.bench.images.box), encoding="utf-8"
        )

    def start(self, *argv: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (sys.executable, "-m", "hullmark", "-C", str(self.root), *argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )

    def run(self, *argv: str) -> tuple[int, str, str]:
        process = self.start(*argv)
        stdout, stderr = process.communicate(timeout=600)
        return process.returncode, stdout, stderr

    def runs(self) -> set[str]:
        """The runs of this project that there is something of."""
        found = self.bench.engine.client.networks.list(filters={"label": "io.hullmark.run"})
        names = {str(each.attrs["Labels"]["io.hullmark.run"]) for each in found}
        return {name for name in names if f"-{self.root.name}-" in name}

    def coming_up(self, *argv: str) -> tuple[subprocess.Popen[str], str]:
        """A smoke test whose container runs, and the name of its run."""
        process = self.start(*argv)
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            for name in self.runs():
                if len(self.bench.left(name)) >= 3:
                    return process, name
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        process.kill()
        raise AssertionError("nothing came up within five minutes")


@pytest.fixture
def shell(bench: Any) -> Iterator[Shell]:
    made = Shell(root=bench.root, bench=bench)
    yield made
    for name in made.runs():
        remove_run(bench.engine, name)


def test_a_stack_that_is_kept_stays_answers_and_goes_when_it_is_told_to(shell: Shell) -> None:
    shell.project(WEB)
    code, report, told = shell.run("smoke", "--keep", "--format", "json")
    assert code == 0
    smoke = json.loads(report)["smoke"]
    name = smoke["project"]
    assert smoke["kept"] is True
    assert f"docker compose -p {name} logs -f [SERVICE]" in told
    assert f"hullmark smoke --reap {name}" in told
    (address,) = [
        line.rpartition(": ")[2] for line in told.splitlines() if line.startswith("  web, port 8080: ")
    ]
    with urllib.request.urlopen(f"http://{address}/", timeout=60) as answer:
        assert answer.read() == b"hello\n"
    listed = subprocess.run(("docker", "compose", "-p", name, "ps", "-q"), capture_output=True, check=True)
    assert len(listed.stdout.split()) == 1
    before = sorted(shell.bench.left(name))
    # Neither the next run nor a general clearance removes it.
    code, text, _ = shell.run("smoke", "--reap")
    assert f"kept {name}: `--keep` asked for it; `hullmark smoke --reap {name}` removes it" in text
    assert code == 0
    assert sorted(shell.bench.left(name)) == before
    assert shell.run("smoke", "--reap", name)[:2] == (0, f"removed {name}\n")
    assert shell.bench.left(name) == []
    code, _, told = shell.run("smoke", "--reap", name)
    assert (code, f"there is nothing of a run called `{name}`" in told) == (2, True)


def test_artifacts_hold_everything_but_the_secrets_also_of_a_success(shell: Shell, tmp_path: Path) -> None:
    shell.project(WEB)
    code, report, _ = shell.run("smoke", "--artifacts", str(tmp_path / "a/b"), "--format", "json")
    assert code == 0
    smoke = json.loads(report)["smoke"]
    directory = tmp_path / "a/b" / smoke["project"]
    assert smoke["artifacts"] == str(directory)
    assert [each.name for each in (tmp_path / "a/b").iterdir()] == [smoke["project"]]
    files = {str(each.relative_to(directory)) for each in directory.rglob("*") if each.is_file()}
    assert files == {
        *("compose.json", "events.jsonl", "health.json", "logs/web-1.log", "inspect/web-1.json"),
    }
    everything = "".join(each.read_text("utf-8") for each in directory.rglob("*") if each.is_file())
    assert "hunter22" not in everything
    assert "plain-mode" not in everything
    assert (directory / "logs/web-1.log").read_text("utf-8").endswith("the word is <hidden, 8 characters>\n")
    health = json.loads((directory / "health.json").read_text("utf-8"))["web-1"]
    assert (health["status"], [each["status"] for each in health["changes"]]) == ("healthy", ["healthy"])
    assert health["last_checks"][0]["ExitCode"] in {0, 1}
    lines = (directory / "events.jsonl").read_text("utf-8").splitlines()
    assert {"create", "start"} <= {json.loads(line)["Action"] for line in lines}


def test_artifacts_that_cannot_be_written_hide_neither_the_result_nor_the_stack(
    shell: Shell, tmp_path: Path
) -> None:
    shell.project(WEB)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    code, report, _ = shell.run("smoke", "--artifacts", str(tmp_path / "file/b"), "--format", "json")
    assert code == 3
    outcomes = {each["service"]: each["status"] for each in json.loads(report)["outcomes"]}
    assert outcomes["web"] == "ran"
    (broken,) = [each for each in json.loads(report)["outcomes"] if each["status"] == "broken"]
    assert broken["reason"].startswith("the artifacts cannot be written to ")
    assert shell.bench.left(json.loads(report)["smoke"]["project"]) == []


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_asked_to_stop_it_removes_everything_and_writes_what_it_knows(
    shell: Shell, tmp_path: Path, number: signal.Signals
) -> None:
    shell.project(NEVER)
    process, name = shell.coming_up("smoke", "--keep", "--artifacts", str(tmp_path / "known"))
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=600)
    assert (process.returncode, stdout) == (130, "")
    assert "once more to leave at once" in stderr
    assert shell.bench.left(name) == []
    assert (tmp_path / "known" / name / "compose.json").is_file()


def test_asked_twice_it_leaves_at_once_and_says_what_is_left(shell: Shell) -> None:
    shell.project(NEVER)
    process, name = shell.coming_up("smoke")
    process.send_signal(signal.SIGINT)
    stderr = ""
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        for line in process.stderr:
            stderr += line
            # Removing takes several answers of the engine from here; two signals at once would count as one.
            if "once more to leave at once" in line:
                process.send_signal(signal.SIGINT)
    assert process.wait(600) == 130
    assert "SIGINT again, leaving at once" in stderr
    assert f"of {name} may be left: `hullmark smoke --reap` removes them" in stderr
    assert name in {*clear(shell.bench.engine).removed} or shell.bench.left(name) == []
    deadline = time.monotonic() + 120
    # What was asked of the engine before may come into being after the first look.
    while shell.bench.left(name) and time.monotonic() < deadline:
        clear(shell.bench.engine)
    assert shell.bench.left(name) == []


def test_a_run_that_is_still_under_way_is_not_removed_by_its_name(shell: Shell) -> None:
    shell.project(NEVER)
    process, name = shell.coming_up("smoke")
    try:
        code, _, told = shell.run("smoke", "--reap", name)
        assert (code, f"{name} is not removed: process {process.pid} on " in told) == (3, True)
        assert "still running" in told
        code, _, told = shell.run("smoke", "--reap", "nope")
        assert code == 2
        assert name in told.partition("runs of which there is something: ")[2]
        assert len(shell.bench.left(name)) >= 3
    finally:
        process.kill()
        process.communicate()
    # A run of another test may have removed it by now: what dead owners left is everybody's to clear.
    assert shell.run("smoke", "--reap", name)[:2] in {(0, f"removed {name}\n"), (2, "")}
    assert shell.bench.left(name) == []


def test_clearing_starts_nothing_so_nothing_can_be_kept_of_it(shell: Shell) -> None:
    shell.project(WEB)
    code, _, told = shell.run("smoke", "--reap", "--keep")
    assert (code, "`--reap` starts nothing" in told) == (2, True)
