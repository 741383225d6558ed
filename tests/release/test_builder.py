"""A builder is looked at by everybody, and started only by who builds."""

from __future__ import annotations

import io

import pytest

from hullmark._cli import main
from hullmark._release.builder import inspect, parse
from hullmark._release.plan import attached
from hullmark.testing import ScriptedCommands

SAID = "Name: far\nDriver: docker-container\n\nNodes:\nName: far0\nStatus: inactive\n"


@pytest.mark.parametrize("starting", [True, False])
def test_a_builder_is_started_only_where_something_is_built(starting: bool) -> None:  # noqa: FBT001
    commands = ScriptedCommands({("docker", "buildx", "inspect"): ScriptedCommands.completed(SAID)})
    builder = inspect(commands, "far", starting=starting)
    assert (builder.name, builder.driver) == ("far", "docker-container")
    assert builder.builds("linux/arm64"), "nobody knows yet"
    (call,) = commands.calls
    assert ("--bootstrap" in call) is starting


@pytest.mark.parametrize(
    ("command", "taken"),
    [
        ("run", {"--builder", "--smoke-platforms", "--sign"}),
        ("publish", {"--sign"}),
        ("verify", set()),
        ("notes", set()),
        ("prune", set()),
    ],
)
def test_a_command_takes_only_what_makes_a_difference_to_it(command: str, taken: set[str]) -> None:
    said = io.StringIO()
    assert main(["release", command, "--help"], stdout=said, stderr=said, environ={}) == 0
    assert {each for each in ("--builder", "--smoke-platforms", "--sign") if each in said.getvalue()} == taken


def test_a_plan_says_what_the_builder_puts_with_the_images() -> None:
    (far,) = attached(parse(SAID))
    assert far.startswith("provenance is attached and the manifest of each image is annotated")
    (near,) = attached(parse(SAID.replace("docker-container", "docker")))
    assert near.startswith("no provenance is attached and no manifest of an image is annotated")
    assert not list(attached(None))
