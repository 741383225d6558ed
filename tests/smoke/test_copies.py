"""What a run writes stays in the run: directories, files, networks and volumes of the world outside, on a real engine."""

from __future__ import annotations

import os
import secrets
import socket
import stat
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._smoke import seeds
from hullmark._smoke.stack import running
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.service_run import State

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

IDLE = """
    image: BOX
    command: [sleep, "600"]
    init: true
"""


def _tree(root: Path) -> dict[str, tuple[int, int, int, float, bytes]]:
    """Everything below `root`: mode, owner, time and contents."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path.relative_to(root))] = (
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_mtime,
            content,
        )
    return found


def test_nothing_is_written_to_the_directory_of_the_project(bench: Any) -> None:
    data = bench.root / "data"
    (data / "deep/er").mkdir(parents=True)
    (data / "deep/x").write_text("original", encoding="utf-8")
    (bench.root / "file").write_text("original", encoding="utf-8")
    project = bench.project(
        f"""
services:
  a:{IDLE}    volumes: ["./data:/data", "./file:/etc/file", "./gone:/gone", "gone2:/gone2"]
  b:{IDLE}    volumes: ["./data:/other:ro", "./file:/file"]
    read_only: true
volumes:
  gone2: {{driver_opts: {{type: none, o: bind, device: "{bench.root}/gone2"}}}}
"""
    )
    before = _tree(bench.root)
    with running(project, bench.engine, bench.commands, timeout=600) as stack:
        assert stack.timeline.is_ready()
        write = "echo changed >/data/deep/x; echo changed >/etc/file; echo x >/gone/x; echo x >/gone2/x; rm -r /data/deep/er"
        assert stack.container("a").exec_run(["sh", "-ec", write]).exit_code == 0
        seen = stack.container("b").exec_run(
            ["sh", "-c", "cat /other/deep/x /file; echo x >/file; echo x >/other/y"]
        )
        # Who shares the directory sees what is written to it; what is only read stays as it is.
        assert b"changed\noriginal" in seen.output
        assert isinstance(seen.output, bytes)
        assert seen.output.count(b"Read-only file system") == 2
    assert _tree(bench.root) == before
    assert stack.teardown_error is None
    assert bench.left(stack.name) == []
    assert "`./data` is copied for the run (1 file, 8 B)" in stack.notes


def test_a_copy_has_the_owners_modes_and_links_of_the_original(bench: Any) -> None:
    data = bench.root / "data"
    data.mkdir()
    (data / "plain").write_bytes(b"x" * 3_000_000)
    (data / "plain").chmod(0o640)
    os.chown(data / "plain", 999, 998)
    os.link(data / "plain", data / "twin")
    (data / "empty").touch(mode=0o4755)
    (data / "empty").chmod(0o4755)
    (data / "link").symlink_to("/www/../plain")
    os.mkfifo(data / "pipe")
    (data / os.fsdecode(b"\xff")).touch()
    (data / ("long" * 50)).mkdir(mode=0o700)
    (data / "h\u00f6le").write_bytes(b"")
    os.chown(data, 70, 71)
    data.chmod(0o1700)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(data / "socket"))
        project = bench.project(f'services:\n  a:{IDLE}    volumes: ["./data:/www"]\n')
        with running(project, bench.engine, bench.commands, timeout=600) as stack:
            command = ["busybox", "sh", "-c", "cd /www; stat -c '%a %u:%g %h %s %F %N' . * | sort"]
            listed = stack.container("a").exec_run(command).output
            sums = stack.container("a").exec_run(["busybox", "md5sum", "/www/plain", "/www/twin"]).output
    assert isinstance(listed, bytes)
    assert isinstance(sums, bytes)
    lines = listed.decode("utf-8", "backslashreplace").splitlines()
    assert any(line.startswith("1700 70:71 ") for line in lines), lines
    assert sum(line.startswith("640 999:998 2 3000000 regular file") for line in lines) == 2
    assert len({line.split()[0] for line in sums.decode().splitlines()}) == 1
    assert any(line.startswith("4755 0:0 1 0 ") for line in lines)
    assert any("symbolic link" in line and "/www/../plain" in line for line in lines)
    assert any("fifo" in line for line in lines)
    assert not any("socket" in line for line in lines)
    # What the image has there is hidden by the directory, and so by its copy.
    assert not any("index.html" in line for line in lines)
    assert len(lines) == 9, lines


def test_two_databases_on_one_directory_do_not_meet(bench: Any) -> None:
    """What holds a lock in its directory runs beside the developer's own, which holds it."""
    (bench.root / "pgdata").mkdir()
    lock = "exec 9>/db/lock; flock -n 9 || exit 5; exec sleep 600"
    compose = f"""
services:
  db:
    image: BOX
    init: true
    command: [sh, -c, "{lock}"]
    ports: ["5432"]
    volumes: ["./pgdata:/db"]
"""
    project = bench.project(compose)
    container = bench.engine.client.containers.create(
        bench.images.box,
        ["sh", "-c", lock],
        init=True,
        volumes={str(bench.root / "pgdata"): {"bind": "/db"}},
    )
    try:
        container.start()
        with running(project, bench.engine, bench.commands, timeout=600) as stack:
            assert [run.state for run in stack.timeline.services()] == [State.RUNNING]
    finally:
        container.remove(force=True)


def test_two_runs_of_one_project_at_the_same_time_do_not_meet(bench: Any) -> None:
    (bench.root / "data").mkdir()
    (bench.root / "data/n").write_text("0", encoding="utf-8")
    compose = f"""
services:
  web:{IDLE}    container_name: only-one
    volumes: ["./data:/data", named:/named]
    ports: ["8080:8080"]
volumes:
  named:
"""
    probe = bench.execute(
        "sh", "-ec", "test ! -e /named/x; test $(cat /data/n) = 0; echo 1 >/data/n; touch /named/x"
    )
    project = bench.project(compose, probes={"web": (probe,)})
    results: list[Any] = []

    def run() -> None:
        from hullmark._smoke import smoke
        from hullmark.model.progress import Silent

        results.append(smoke(project, bench.engine, bench.commands, Silent()))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[each.seen for each in run.probes] for run in results] == [["exit code 0"]] * 2
    assert (bench.root / "data/n").read_text(encoding="utf-8") == "0"
    assert [bench.left(run.name) for run in results] == [[], []]


def test_networks_and_volumes_of_others_are_left_alone(bench: Any) -> None:
    name = f"hullmark-test-{secrets.token_hex(4)}"
    client = bench.engine.client
    network = client.networks.create(name)
    volume = client.volumes.create(name)
    compose = f"""
services:
  web:{IDLE}    networks: [company]
    volumes: [archive:/archive]
  idle:{IDLE}    networks: [company]
networks:
  company: {{external: true, name: {name}}}
volumes:
  archive: {{external: true, name: {name}}}
"""
    try:
        private = bench.project(compose)
        with running(private, bench.engine, bench.commands, timeout=600) as stack:
            container = stack.container("web")
            assert name not in container.attrs["NetworkSettings"]["Networks"]
            assert container.exec_run(["touch", "/archive/x"]).exit_code == 0
            assert container.exec_run(["busybox", "nslookup", "idle"]).exit_code == 0
            network.reload()
            assert not network.attrs["Containers"]
        assert set(stack.notes) == {
            "external network `company` is replaced by a private one, empty at first",
            "external volume `archive` is replaced by a private one, empty at first",
        }
        shared = bench.project(compose, smoke_shared=("company", "archive"))
        with running(shared, bench.engine, bench.commands, timeout=600) as stack:
            container = stack.container("web")
            assert name in container.attrs["NetworkSettings"]["Networks"]
            assert container.exec_run(["test", "-e", "/archive/x"]).exit_code == 1
        assert stack.notes == ()
        assert bench.left(stack.name) == []
        assert client.volumes.get(name).id == volume.id
    finally:
        network.remove()
        volume.remove()


@pytest.mark.parametrize("limit", ["MOST_BYTES", "MOST_FILES"])
def test_too_much_to_copy_is_told_before_anything_starts(
    bench: Any, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(seeds, limit, 5)
    (bench.root / "models").mkdir()
    for number in range(5):
        (bench.root / f"models/{number}").write_text("xx", encoding="utf-8")
    project = bench.project(f'services:\n  web:{IDLE}    volumes: ["./models:/models"]\n')
    with pytest.raises(Unavailable) as caught, running(project, bench.engine, bench.commands, timeout=600):
        pass
    assert caught.value.message.startswith(
        "`./models:/models` of service `web` can be written to and is too much"
    )
    assert "`:ro`" in str(caught.value.hint)
    assert "shared" in str(caught.value.hint)
    names = [c.name for c in bench.engine.client.containers.list(all=True, ignore_removed=True)]
    assert not [name for name in names if project.name in str(name)]


def test_what_only_the_engine_may_read_is_copied_by_the_engine(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(directory: str, name: str) -> Any:
        raise PermissionError(directory, name)

    monkeypatch.setattr(seeds, "_walk", closed)
    (bench.root / "data").mkdir(mode=0o700)
    os.chown(bench.root / "data", 999, 999)
    (bench.root / "data/x").write_text("x", encoding="utf-8")
    project = bench.project(f'services:\n  web:{IDLE}    volumes: ["./data:/data"]\n')
    with running(project, bench.engine, bench.commands, timeout=600) as stack:
        seen = stack.container("web").exec_run(["busybox", "stat", "-c", "%a %u", "/data", "/data/x"]).output
    assert seen == b"700 999\n644 0\n"
    assert stack.notes == ("`./data` is copied for the run",)
    assert bench.left(stack.name) == []
    monkeypatch.setattr(seeds, "MOST_BYTES", 5)
    with (
        pytest.raises(Unavailable, match="is too much to copy"),
        running(project, bench.engine, bench.commands, timeout=600) as stack,
    ):
        pass


AS_ORDINARY_USER = """
import os, sys, threading
from pathlib import Path
from hullmark._compose import resolve
from hullmark._engines import connect
from hullmark._process import SystemCommands
from hullmark._smoke.stack import running
from hullmark.model.project import Settings

cancelled = threading.Event()
commands = SystemCommands(os.environ, cancelled)
engine = connect(commands, os.environ, cancelled)
root = Path(sys.argv[1])
try:
    os.listdir(root / "data")
except PermissionError:
    print("closed to us")
with running(resolve(root, Settings(), commands), engine, commands, timeout=600) as stack:
    command = ["busybox", "stat", "-c", "%a %u", "/data", "/data/x"]
    print(stack.container("web").exec_run(command).output.decode(), end="")
    print(*stack.notes, sep="\\n")
"""


def test_a_database_directory_of_another_user_is_copied_all_the_same(bench: Any) -> None:
    (bench.root / "data").mkdir()
    bench.project(f'services:\n  web:{IDLE}    volumes: ["./data:/data"]\n')

    def by_the_engine(script: str) -> None:
        volumes = {str(bench.root / "data"): {"bind": "/data"}}
        command = ["sh", "-ec", script]
        bench.engine.client.containers.run(bench.images.box, command, remove=True, volumes=volumes)

    # Root may read everything, unless it gives that up.
    powers = "-dac_override,-dac_read_search"
    humble = ("setpriv", f"--bounding-set={powers}", f"--inh-caps={powers}") if os.geteuid() == 0 else ()
    by_the_engine("echo x >/data/x; chmod 700 /data /data/x; chown 999 /data /data/x")
    try:
        done = subprocess.run(
            (*humble, sys.executable, "-c", AS_ORDINARY_USER, str(bench.root)),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        by_the_engine(f"rm /data/x; chown {os.geteuid()} /data")
    assert (done.stdout, done.stderr) == (
        "closed to us\n700 999\n700 999\n`./data` is copied for the run\n",
        "",
    )


def test_what_cannot_be_created_is_told_where_something_is_copied_too(bench: Any) -> None:
    (bench.root / "data").mkdir()
    run = bench.smoke(
        f"""
services:
  idle:{IDLE}    volumes: ["./data:/data"]
  web:{IDLE}    secrets: [s]
secrets:
  s: {{file: ./nosuchfile}}
"""
    )
    web = bench.service(run)
    assert web.state is State.EXITED
    assert web.refusal.endswith(f"bind source path does not exist: {bench.root}/nosuchfile")


def test_asked_to_stop_while_it_copies_it_stops(bench: Any, cancelled: threading.Event) -> None:
    (bench.root / "data").mkdir()
    with (bench.root / "data/large").open("wb") as file:
        file.truncate(900_000_000)
    project = bench.project(f'services:\n  web:{IDLE}    volumes: ["./data:/data"]\n')
    client = bench.engine.client

    def stop() -> None:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline and not cancelled.is_set():
            listed = client.containers.list(
                all=True, filters={"label": "com.docker.compose.project="}, ignore_removed=True
            )
            if any(project.name in container.labels.get("io.hullmark.run", "") for container in listed):
                time.sleep(0.2)
                cancelled.set()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Interrupted) as caught, running(project, bench.engine, bench.commands, timeout=600):
        pass
    thread.join()
    assert "could not be removed" not in caught.value.message
    names = [
        c.labels.get("io.hullmark.run", "") for c in client.containers.list(all=True, ignore_removed=True)
    ]
    assert not [name for name in names if project.name in name]


def test_a_run_without_anything_to_copy_asks_compose_once(bench: Any) -> None:
    asked: list[tuple[str, ...]] = []

    class Listening:
        def run(self, argv: Any, **options: Any) -> Any:
            asked.append(tuple(argv))
            return bench.commands.run(argv, **options)

    project = bench.project(
        f'services:\n  web:{IDLE}    volumes: ["./:/here:ro", named:/n]\nvolumes:\n  named:\n'
    )
    listening: Any = Listening()
    with running(project, bench.engine, listening, timeout=600):
        pass
    assert [argv[-2:] for argv in asked] == [("-d", "--no-recreate")]


def test_a_file_that_changes_while_it_is_copied_does_not_end_the_copy(bench: Any) -> None:
    (bench.root / "data").mkdir()
    for name in ("grows", "shrinks", "goes", "stays"):
        (bench.root / "data" / name).write_text("12345", encoding="utf-8")
    project = bench.project(f'services:\n  web:{IDLE}    volumes: ["./data:/data"]\n')

    class Meddling:
        def run(self, argv: Any, **options: Any) -> Any:
            (bench.root / "data/grows").write_text("123456789", encoding="utf-8")
            (bench.root / "data/shrinks").write_text("1", encoding="utf-8")
            (bench.root / "data/goes").unlink(missing_ok=True)
            return bench.commands.run(argv, **options)

    meddling: Any = Meddling()
    with running(project, bench.engine, meddling, timeout=600) as stack:
        seen = stack.container("web").exec_run(["sh", "-c", "cd /data; cat grows shrinks stays; ls"]).output
    assert seen == b"12345" + b"1\0\0\0\0" + b"12345" + b"grows\nshrinks\nstays\n"
