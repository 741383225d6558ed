"""Services that do without a writable root, and such that do not."""

from __future__ import annotations

from typing import Any

import pytest

from hullmark._smoke.drills.written import deepest, directories, refused
from hullmark.model.drill import Drill, DrillSettings, Exempt, Failed, Passed
from hullmark.model.project import ServiceSettings

IDLE = "exec sleep 600"
STACK = f"""
services:
  writer:
    image: IMAGE
    command: [bash, -c, "set -e; echo x > /var/cache/app.state; {IDLE}"]
    init: true
  behind:
    image: IMAGE
    command: [bash, -c, "set -e; echo x > /tmp/fine; {IDLE}"]
    init: true
    tmpfs: [/tmp]
    depends_on: [writer]
  quiet:
    image: IMAGE
    command: [bash, -c, "mkdir /srv/state 2>/dev/null || exit 4; {IDLE}"]
    init: true
  already:
    image: IMAGE
    command: [bash, -c, "touch /srv/more; {IDLE}"]
    init: true
    read_only: true
  careless:
    image: IMAGE
    command: [bash, -c, "echo x 2>/dev/null > /srv/cache; touch /copied; {IDLE}"]
    init: true
    volumes: ["./copied:/copied"]
  spared:
    image: IMAGE
    command: [bash, -c, "set -e; touch /spared; {IDLE}"]
    init: true
"""


@pytest.mark.docker
def test_a_service_that_writes_to_its_root_names_the_path_and_what_waits_for_it_is_tried_as_well(
    yard: Any,
) -> None:
    (yard.root / "copied").write_text("a file that is put into the container", encoding="utf-8")
    run = yard.tried(
        yard.project(
            STACK,
            Drill.READ_ONLY,
            services={"spared": ServiceSettings(drills=DrillSettings(skip=(Drill.READ_ONLY,)))},
        )
    )
    results = {each.service: each.result for each in run.drills}
    assert isinstance(results["writer"], Failed)
    assert results["writer"].seen == (
        "with a read-only root it is exited: it cannot write `/var/cache/app.state`"
    )
    assert "tmpfs: [/var/cache]" in results["writer"].remedy
    assert isinstance(results["quiet"], Failed)
    assert "its log names no path; otherwise it writes `/srv/state`" in results["quiet"].seen
    assert results["behind"] == Passed(seen="it works with a read-only root")
    assert results["already"] == Passed(
        seen="its root is read-only in the project, and it works, although it cannot write `/srv/more`",
        missed=("/srv/more",),
    )
    # Nobody says so, and what was copied into the container was not written by it.
    assert results["careless"] == Passed(
        seen="it works with a read-only root, although it cannot write `/srv/cache`", missed=("/srv/cache",)
    )
    assert results["spared"] == Exempt(reason="left out by `skip` of `[services.spared.drills]`")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("touch: cannot touch '/srv/x': Read-only file system", "/srv/x"),
        ("bash: line 1: /var/cache/app.state: Read-only file system", "/var/cache/app.state"),
        ("/bin/sh: 1: cannot create /data/y: Read-only file system", "/data/y"),
        ("OSError: [Errno 30] Read-only file system: '/app/cache'", "/app/cache"),
        ("Error: EROFS: read-only file system, open '/usr/src/app/.next/trace'", "/usr/src/app/.next/trace"),
        ("open /etc/caddy/autosave.json: read-only file system", "/etc/caddy/autosave.json"),
        (
            'nginx: [emerg] mkdir() "/var/cache/nginx/client_temp" failed (30: Read-only file system)',
            "/var/cache/nginx/client_temp",
        ),
        (
            'could not create lock file "/var/run/postgresql/.s.PGSQL.5432.lock": Read-only file system',
            "/var/run/postgresql/.s.PGSQL.5432.lock",
        ),
    ],
)
def test_the_path_that_could_not_be_written_is_found_in_what_programs_say_of_it(line: str, path: str) -> None:
    assert refused(f"starting\n{line}\n{line}\nstopped /not/this") == (path,)


def test_a_log_without_such_a_line_names_no_path() -> None:
    assert refused("cannot open /etc/passwd: Permission denied") == ()


def test_directories_are_named_once_and_without_those_inside_of_them() -> None:
    assert directories(("/var/cache/a", "/var/cache/b/c", "/run/x", "/y")) == ("/run", "/var/cache")


def test_what_merely_leads_to_something_else_was_not_written() -> None:
    assert deepest(("/var", "/var/lib", "/var/lib/x", "/mnt", "/data"), ("/mnt/volume", "/data")) == {
        "/var/lib/x"
    }
