"""`hullmark doctor` as it is called: what it reads, what it writes, what it asks, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.doctor.conftest import LOGS

from hullmark._cli import main
from hullmark._doctor.situations import catalogue

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/doctor-1.schema.json").read_text("utf-8"))
CORRUPTED = LOGS / "corrupted-build-cache-parent.log"
DOCKER = '#!/bin/sh\necho "$@" >> "$0.calls"\necho "Total:  1.2GB"\nexit ${DOCKER_EXITS:-0}\n'


class Bench:
    """A directory without a project, a client that only notes how it is called, and no engine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.docker = root / "bin/docker"
        self.docker.parent.mkdir()
        self.docker.write_text(DOCKER, encoding="ascii")
        self.docker.chmod(0o755)
        self.environ = {
            "PATH": f"{self.docker.parent}:/usr/bin:/bin",
            "HOME": str(root),
            "PYTHONPATH": str(ROOT / "src"),
            "DOCKER_HOST": f"unix://{root}/none.sock",
        }

    def run(self, *argv: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        code = main(["-C", str(self.root), "doctor", *argv], stdout=out, stderr=err, environ=self.environ)
        return code, out.getvalue(), err.getvalue()

    def pipe(self, text: bytes, *argv: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
        """The whole program with `text` piped in."""
        command = [sys.executable, "-m", "hullmark", "-C", str(self.root), "doctor", *argv]
        return subprocess.run(
            command, input=text, capture_output=True, env=self.environ, check=False, timeout=60, **more
        )

    @property
    def calls(self) -> list[str]:
        noted = self.docker.with_suffix(".calls")
        return noted.read_text("utf-8").splitlines() if noted.exists() else []

    def log(self, text: str, *, encoding: str = "utf-8") -> str:
        path = self.root / "some.log"
        path.write_bytes(text.encode(encoding))
        return str(path)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _described(text: str) -> Any:
    document = json.loads(text)
    Draft202012Validator(SCHEMA).validate(document)
    return document


def test_a_log_is_told_with_cause_remedy_and_what_fix_would_do(bench: Bench) -> None:
    code, out, err = bench.run("--log", str(CORRUPTED))
    assert code == 1
    assert out.startswith(f"{CORRUPTED}: 1 situation in ")
    assert "corrupted-build-cache: BuildKit's cache has lost part of itself\n  line 21: " in out
    assert "in: build step [web 2/2]" in out
    assert "      docker builder prune -f\n" in out
    assert "  --fix: removes build cache" in out
    assert err == ""
    assert bench.calls == []


def test_the_same_as_json_follows_the_schema(bench: Bench) -> None:
    code, out, _ = bench.run("--log", str(CORRUPTED), "--format", "json")
    document = _described(out)
    assert code == document["exit_code"] == 1
    (found,) = document["log"]["diagnoses"]
    assert found["situation"] == "corrupted-build-cache"
    assert found["values"]["missing"] == "k2w5d6qb4roygwvir2k5v9y9x"
    assert found["repair"] == {
        "command": "docker builder prune --force",
        "effect": "removes build cache that no build uses; images, containers and volumes stay",
        "applied": None,
    }


@pytest.mark.parametrize("path", sorted(LOGS.glob("*.log")), ids=lambda path: path.stem)
def test_every_log_can_be_told_to_people_and_programs(bench: Bench, path: Path) -> None:
    code, out, _ = bench.run("--log", str(path))
    assert code in {0, 1}
    assert "\x1b" not in out
    assert out.endswith("\n")
    document = _described(bench.run("--log", str(path), "--format", "json")[1])
    assert document["exit_code"] == code
    assert {each["situation"] for each in document["log"]["diagnoses"]} <= {each.id for each in catalogue()}


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("Container web-1 Started\n", 0, "nothing recognised in 1 line\n"),
        (
            "failed to solve: teapot\n",
            3,
            "not among the situations that are known:\n  line 1: failed to solve",
        ),
        ("", 4, "nothing to read\n"),
    ],
)
def test_nothing_recognised_is_said_honestly(bench: Bench, text: str, code: int, said: str) -> None:
    found, out, _ = bench.run("--log", bench.log(text))
    assert found == code
    assert said in out
    assert _described(bench.run("--log", bench.log(text), "--format", "json")[1])["exit_code"] == code


def test_what_is_piped_in_is_the_log(bench: Bench) -> None:
    for argv in ((), ("--log", "-")):
        done = bench.pipe(CORRUPTED.read_bytes(), *argv)
        assert done.returncode == 1, done.stderr
        assert done.stdout.startswith(b"standard input: 1 situation in ")
        assert b"reading the log from standard input" in done.stderr


def test_a_log_that_powershell_wrote_is_read(bench: Bench) -> None:
    log = bench.log("\ufeffmax depth exceeded\r\n", encoding="utf-16-le")
    assert "too-many-layers" in bench.run("--log", log)[1]


def test_of_a_log_of_gigabytes_the_end_is_read(bench: Bench) -> None:
    path = bench.root / "large.log"
    with path.open("wb") as stream:
        stream.write(b"web-1 exited with code 137\n")
        stream.seek(3 << 30)
        stream.write(b"\nmax depth exceeded\n")
    code, out, err = bench.run("--log", str(path))
    assert code == 1
    assert "too-many-layers" in out
    assert "out-of-memory" not in out
    assert "warning: the log has 3,221,225,492 bytes; the last 33,554,432 are read" in err


def test_whoever_waits_for_a_log_that_does_not_come_can_be_asked_to_stop(bench: Bench) -> None:
    command = [sys.executable, "-m", "hullmark", "doctor"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=bench.environ,
        cwd=bench.root,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"reading the log from standard input\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
        assert process.stdin is not None
        process.stdin.close()


def test_a_log_that_is_no_text_is_read_as_far_as_it_is(bench: Bench) -> None:
    path = bench.root / "raw.log"
    path.write_bytes(b"\xff\x00\x1b[2J max depth exceeded \x80\n")
    code, out, _ = bench.run("--log", str(path))
    assert code == 1
    assert "too-many-layers" in out
    assert "\x1b" not in out
    assert "\x00" not in out


def test_a_log_that_is_not_there_is_a_mistake(bench: Bench) -> None:
    assert bench.run("--log", str(bench.root / "none.log"))[0] == 2
    assert bench.run("--log", str(bench.root))[0] == 2


def test_what_is_fixed_with_yes_is_fixed_and_the_log_is_done_with(bench: Bench) -> None:
    code, _, err = bench.run("--log", str(CORRUPTED), "--fix", "--yes")
    assert code == 0
    assert bench.calls == ["builder prune --force"]
    assert "done: `docker builder prune --force`: Total:  1.2GB" in err


def test_in_json_it_is_said_to_be(bench: Bench) -> None:
    code, out, _ = bench.run("--log", str(CORRUPTED), "--fix", "--yes", "--format", "json")
    document = _described(out)
    assert document["log"]["diagnoses"][0]["repair"]["applied"] is True
    assert code == document["exit_code"] == 0


def test_what_cannot_be_fixed_beside_it_stays(bench: Bench) -> None:
    log = bench.log(CORRUPTED.read_text("utf-8") + "web-1 exited with code 139\n")
    assert bench.run("--log", log, "--fix", "--yes")[0] == 1
    assert bench.calls == ["builder prune --force"]


def test_where_nothing_can_be_fixed_nothing_is_run(bench: Bench) -> None:
    code, _, err = bench.run("--log", bench.log("max depth exceeded\n"), "--fix", "-y")
    assert (code, bench.calls) == (1, [])
    assert "nothing of this is safe for a machine to fix" in err


def test_a_fix_that_fails_fails(bench: Bench) -> None:
    bench.environ["DOCKER_EXITS"] = "1"
    code, _, err = bench.run("--log", str(CORRUPTED), "--fix", "--yes")
    assert code == 3
    assert "failed with exit status 1" in err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--fix",), "`--fix` applies to what a log tells of"),
        (("--yes", "--log", str(CORRUPTED)), "add `--fix`"),
        (("--fix", "--log", str(CORRUPTED)), "add `--yes`"),
        (("--fix", "--log", "-"), "add `--yes`"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_read(
    bench: Bench, argv: tuple[str, ...], said: str
) -> None:
    code, out, err = bench.run(*argv)
    assert (code, out) == (2, "")
    assert said in err
    assert bench.calls == []


@pytest.mark.parametrize(("answer", "code", "calls"), [("y", 0, 1), ("n", 1, 0), ("", 1, 0)])
def test_each_fix_is_asked_for(bench: Bench, answer: str, code: int, calls: int) -> None:
    ours, theirs = os.openpty()
    try:
        command = [sys.executable, "-m", "hullmark", "doctor", "--log", str(CORRUPTED), "--fix"]
        with subprocess.Popen(
            command,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=bench.environ,
            cwd=bench.root,
        ) as process:
            os.write(ours, f"{answer}\n".encode())
            _, err = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == code
    assert b"`docker builder prune --force` removes build cache" in err
    assert len(bench.calls) == calls


def test_a_project_that_cannot_be_used_is_said_and_the_log_is_read_all_the_same(bench: Bench) -> None:
    (bench.root / "compose.yml").write_text("services: [\n", encoding="ascii")
    code, out, err = bench.run("--log", str(CORRUPTED))
    assert code == 1
    assert "corrupted-build-cache" in out
    assert "warning: the project here is not looked at: " in err


def test_the_situations_are_listed_and_each_is_explained(bench: Bench) -> None:
    code, out, err = bench.run("--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines() if not line.startswith(" ")] == [
        each.id for each in catalogue()
    ]
    assert max(map(len, out.splitlines())) <= 80
    assert "`hullmark explain NAME`" in err
    page = io.StringIO()
    assert main(["explain", "port-taken"], stdout=page, stderr=io.StringIO(), environ=bench.environ) == 0
    assert page.getvalue().startswith(
        "port-taken (told by `hullmark doctor`)\n\nA port that is to be published"
    )


def test_without_a_log_the_machine_is_examined(bench: Bench) -> None:
    bench.docker.unlink()
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123  # a stream for the process
        command = [sys.executable, "-m", "hullmark", "doctor", "--format", "json"]
        done = subprocess.run(
            command,
            stdin=nothing,
            capture_output=True,
            env=bench.environ,
            cwd=bench.root,
            check=False,
            timeout=60,
        )
    document = _described(done.stdout.decode())
    assert done.returncode == document["exit_code"] == 1
    assert document["log"] is None
    by_name = {each["name"]: each for each in document["examinations"]}
    assert by_name["engine"]["troubles"][0]["seen"].startswith("no Docker engine answers at ")
    assert by_name["storage"]["status"] == "skipped"
    assert by_name["ports"]["reason"] == "there is no Compose project here"
