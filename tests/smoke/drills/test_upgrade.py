"""Old images write, new ones read: upgrades that keep what was there, and such that do not."""

from __future__ import annotations

import json
import secrets
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._smoke.drills import old_images
from hullmark._smoke.drills.upgrade import held
from hullmark.errors import ConfigurationError
from hullmark.model.drill import Drill, DrillSettings, Exempt, Failed, Passed, Persistence, Undrilled
from hullmark.model.location import SourceSpan
from hullmark.model.project import ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = SourceSpan(path="hullmark.toml", line=7)
RUN = "exec sleep 600"
DOCKERFILE = """
FROM debian:bookworm-slim
STOPSIGNAL SIGKILL
RUN echo {version} > /version && mkdir /data
CMD [ "sh", "-c", "{command}" ]
"""
STACK = """
services:
  keeper:
    image: NAME:new
    volumes: ["kept:/data"]
  mover:
    image: NAME:moved
    volumes: ["moved:/data"]
  refuser:
    image: NAME:strict
    volumes: ["strict:/data"]
  same:
    image: NAME:new
  other:
    image: debian:bookworm-slim
    command: [sleep, "600"]
    init: true
  sealed:
    image: NAME:new
volumes:
  kept:
  moved:
  strict:
"""
COMMANDS = {
    "old": f"touch /data/format-1; {RUN}",
    "new": RUN,
    "moved": f"rm -rf /data/*; {RUN}",
    "strict": f"test -e /data/format-1 && {{ echo cannot read format 1; exit 3; }}; {RUN}",
}


@pytest.fixture(scope="module")
def name() -> Iterator[str]:
    """The name of small images, one for each of COMMANDS."""
    made = f"hullmark-test-{secrets.token_hex(4)}"
    try:
        for tag, command in COMMANDS.items():
            subprocess.run(
                ("docker", "build", "-q", "-t", f"{made}:{tag}", "-"),
                input=DOCKERFILE.format(version=tag, command=command).encode(),
                check=True,
                capture_output=True,
            )
        yield made
    finally:
        tags = [f"{made}:{tag}" for tag in COMMANDS]
        subprocess.run(("docker", "rmi", "-f", *tags), check=True, capture_output=True)


def _keeps(file: str = "/data/drill") -> ServiceSettings:
    return ServiceSettings(
        drills=DrillSettings(
            persist=(
                Persistence(
                    write=("sh", "-c", f"echo cargo > {file}"),
                    read=("cat", file),
                    expect="cargo",
                    origin=HERE,
                    timeout=2.0,
                ),
            )
        )
    )


@pytest.mark.docker
def test_a_new_image_that_does_not_take_over_what_the_old_one_left_is_told(yard: Any, name: str) -> None:
    report = {
        "schema": "hullmark/report/1",
        "images": {
            "keeper": {
                # The name has been given to another image meanwhile, as the next build does.
                "reference": f"{name}:new",
                "config_digest": yard.engine.client.images.get(f"{name}:old").id,
                "digest": None,
            }
        },
    }
    (yard.root / "old.json").write_text(json.dumps(report), encoding="utf-8")
    project = yard.project(
        STACK.replace("NAME", name),
        Drill.UPGRADE,
        services={
            "keeper": _keeps(),
            "mover": _keeps(),
            "other": _keeps(),
            "sealed": _keeps("/nowhere/drill"),
        },
        upgrade_from=(
            "old.json",
            *(f"{service}={name}:old" for service in ("mover", "refuser", "sealed")),
            f"same=docker:{name}:new",
        ),
    )
    run = yard.tried(project)
    results = {each.service: each.result for each in run.drills}
    keeper = results["keeper"]
    assert isinstance(keeper, Passed)
    assert keeper.seen.endswith("and what was written is there")
    assert str(report["images"]["keeper"]["config_digest"]) in keeper.seen  # type: ignore[index]  # it is above
    mover = results["mover"]
    assert isinstance(mover, Failed)
    assert mover.seen.startswith(
        f"after an upgrade from {name}:old: with the new image `cat /data/drill` ends"
    )
    refuser = results["refuser"]
    assert isinstance(refuser, Failed)
    assert "`refuser` has ended with exit code 3" in refuser.seen
    assert isinstance(results["same"], Exempt)
    assert isinstance(results["other"], Exempt)
    sealed = results["sealed"]
    assert isinstance(sealed, Undrilled)
    assert sealed.error.startswith(f"with {name}:old nothing could be written: ")


@pytest.mark.docker
def test_without_older_images_nothing_is_started_for_it(yard: Any) -> None:
    compose = "services:\n  web:\n    image: IMAGE\n    command: [sleep, '600']\n    init: true\n"
    run = yard.tried(yard.project(compose, Drill.UPGRADE))
    (only,) = run.drills
    assert only.result == Exempt(reason="no images to upgrade from (`--upgrade-from`, or `previous`)")


@pytest.mark.docker
@pytest.mark.parametrize(
    ("item", "problem"),
    [
        ("web", "`upgrade-from`: `web` is neither a JSON report nor SERVICE=REFERENCE"),
        ("wbe=shop:1", "`upgrade-from`: there is no service `wbe` (web)"),
        ("none.json", "none.json: cannot be read: No such file or directory"),
        (
            "other.json",
            "other.json: no JSON report of hullmark; expected `schema` to be one of hullmark/report/1",
        ),
        ("broken.json", "broken.json: not a report of hullmark as it writes them: "),
    ],
)
def test_what_is_no_image_to_upgrade_from_is_a_mistake_of_the_configuration(
    yard: Any, item: str, problem: str
) -> None:
    (yard.root / "other.json").write_text('{"schema": "other"}', encoding="utf-8")
    (yard.root / "broken.json").write_text("{", encoding="utf-8")
    project = yard.project("services:\n  web:\n    image: IMAGE\n", upgrade_from=(item,))
    with pytest.raises(ConfigurationError) as raised:
        old_images(project)
    assert raised.value.problems[0].startswith(problem)


@pytest.mark.docker
def test_what_hosts_run_by_the_configuration_is_upgraded_from(yard: Any) -> None:
    compose = "services:\n  web:\n    image: IMAGE\n  db:\n    image: IMAGE\n"
    project = yard.project(
        compose, services={"web": ServiceSettings(previous="registry:localhost:5000/shop/web:1")}
    )
    assert {key: held(yard.engine, image) for key, image in old_images(project).items()} == {
        "web": "localhost:5000/shop/web:1"
    }
