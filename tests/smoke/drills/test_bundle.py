"""What drills do to a stack is in what is written of it, also of containers and stacks that are gone by then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._smoke import smoke
from hullmark.model.drill import Drill, DrillSettings, Persistence
from hullmark.model.location import SourceSpan
from hullmark.model.progress import Silent
from hullmark.model.project import ServiceSettings
from hullmark.model.stack import Aftermath

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

COMPOSE = """\
services:
  db:
    image: IMAGE
    init: true
    command: [sh, -c, "echo began with $$(cat /data/word 2>/dev/null || echo nothing); exec sleep 600"]
    volumes: ["data:/data"]
volumes:
  data:
"""
KEPT = Persistence(
    write=("sh", "-c", "echo something >/data/word"),
    read=("cat", "/data/word"),
    expect="something",
    origin=SourceSpan(path="hullmark.toml", line=1),
)


def test_artifacts_hold_what_drills_did(yard: Any, tmp_path: Path) -> None:
    project = yard.project(
        COMPOSE,
        Drill.KILL,
        Drill.PERSIST,
        Drill.READ_ONLY,
        services={"db": ServiceSettings(drills=DrillSettings(persist=(KEPT,)))},
    )
    known = tmp_path / "known"
    run = smoke(project, yard.engine, yard.commands, Silent(), Aftermath(artifacts=known))
    assert {str(each.status) for each in run.drills} == {"passed"}
    assert run.artifacts_error is None
    directory = known / run.name
    assert [each.name for each in known.iterdir()] == [run.name]
    events = [json.loads(line) for line in (directory / "events.jsonl").read_text("utf-8").splitlines()]
    actions = [each["Action"] for each in events]
    # The crash, and the new container that took the place of the first.
    assert "die" in actions[: actions.index("start", actions.index("start") + 1)]
    assert actions.count("create") == 2
    lives = (directory / "logs/db-1.replaced-1.log").read_text("utf-8").splitlines()
    words = [line.rpartition(" ")[2] for line in lives]
    assert words == ["nothing", "nothing", "something"]
    assert (directory / "logs/db-1.log").read_text("utf-8").endswith(" began with something\n")
    assert (
        json.loads((directory / "inspect/db-1.replaced-1.json").read_text("utf-8"))["Id"]
        != (json.loads((directory / "inspect/db-1.json").read_text("utf-8"))["Id"])
    )
    (apart,) = (directory / "drills").iterdir()
    assert apart.name == "read-only-1"
    assert '"ReadonlyRootfs": true' in (apart / "inspect/db-1.json").read_text("utf-8")
    assert (apart / "logs/db-1.log").read_text("utf-8").endswith(" began with nothing\n")
