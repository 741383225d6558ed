"""Data that is there after a restart, and data that is not; on a real engine."""

from __future__ import annotations

from typing import Any

import pytest

from hullmark.model.drill import Drill, DrillSettings, Exempt, Failed, Passed, Persistence, Undrilled
from hullmark.model.location import SourceSpan
from hullmark.model.project import ServiceSettings

pytestmark = pytest.mark.docker

HERE = SourceSpan(path="hullmark.toml", line=7)
STACK = """
services:
  keeper:
    image: IMAGE
    command: [sleep, "600"]
    init: true
    volumes: ["kept:/data"]
  layer:
    image: IMAGE
    command: [sleep, "600"]
    init: true
  memory:
    image: IMAGE
    command: [sleep, "600"]
    init: true
    tmpfs: [/data]
  broken:
    image: IMAGE
    command: [sleep, "600"]
    init: true
  silent:
    image: IMAGE
    command: [sleep, "600"]
    init: true
volumes:
  kept:
"""


def _keeps(directory: str, **more: Any) -> ServiceSettings:
    return ServiceSettings(
        drills=DrillSettings(
            persist=(
                Persistence(
                    write=("sh", "-c", f"echo cargo > {directory}/drill"),
                    read=("cat", f"{directory}/drill"),
                    expect="cargo",
                    origin=HERE,
                    timeout=6.0,
                    **more,
                ),
            )
        )
    )


def test_what_is_lost_by_a_restart_or_with_the_container_is_told(yard: Any) -> None:
    run = yard.tried(
        yard.project(
            STACK,
            Drill.PERSIST,
            services={
                "keeper": _keeps("/data"),
                "layer": _keeps("/srv"),
                "memory": _keeps("/data"),
                "broken": _keeps("/nowhere"),
            },
        )
    )
    results = {each.service: each.result for each in run.drills}
    assert isinstance(results["keeper"], Passed)
    assert isinstance(results["layer"], Failed)
    assert results["layer"].seen.startswith(
        "in a new container on the same volumes `cat /srv/drill` ends with"
    )
    assert results["layer"].location == HERE
    assert isinstance(results["memory"], Failed)
    assert results["memory"].seen.startswith("after a restart of everything `cat /data/drill` ends with")
    assert isinstance(results["broken"], Undrilled)
    assert "nothing could be written" in results["broken"].error
    assert results["silent"] == Exempt(
        reason="nothing says how data is written to it (`[[services.NAME.persist]]`)"
    )
