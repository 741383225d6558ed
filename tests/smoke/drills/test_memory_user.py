"""What services use at rest and whom they run as, against what they promise."""

from __future__ import annotations

from typing import Any

import pytest

from hullmark._smoke.drills.memory import in_use
from hullmark._smoke.drills.user import allowed
from hullmark.errors import Unavailable
from hullmark.model.drill import Drill, Exempt, Failed, Passed
from hullmark.model.location import SourceSpan
from hullmark.model.project import AnyUser, Budget, DropsTo, NonRoot, ServiceSettings
from hullmark.model.stack import ProcessUser

TOML = SourceSpan(path="hullmark.toml", line=3)
STACK = """
services:
  small:
    image: IMAGE
    command: [sleep, "600"]
    user: nobody
    init: true
  large:
    image: IMAGE
    command: [perl, -e, '$$x = "x" x 30_000_000; sleep 600']
    init: true
  mixed:
    image: IMAGE
    command: [bash, -c, 'setpriv --reuid=nobody --clear-groups sleep 600 & exec sleep 600']
    init: true
  free:
    image: IMAGE
    command: [sleep, "600"]
    init: true
"""


def _of(uid: int, name: str, command: str) -> ProcessUser:
    return ProcessUser(uid=uid, name=name, command=command)


@pytest.mark.docker
def test_memory_over_its_budget_and_users_beside_the_policy_are_told(yard: Any) -> None:
    run = yard.tried(
        yard.project(
            STACK,
            Drill.USER,
            services={
                "small": ServiceSettings(user=NonRoot(), memory_budget=Budget(size=20_000_000, origin=TOML)),
                "large": ServiceSettings(
                    user=DropsTo(name="nobody"), memory_budget=Budget(size=20_000_000, origin=TOML)
                ),
                "mixed": ServiceSettings(user=NonRoot(), user_origin=TOML),
            },
        )
    )
    # A budget for memory asks for its drill by itself.
    assert [each.drill for each in run.drills] == [Drill.MEMORY] * 4 + [Drill.USER] * 4
    small, large, free = (yard.of(run, Drill.MEMORY, name).result for name in ("small", "large", "free"))
    assert isinstance(small, Passed)
    assert small.seen.endswith(" of 20.0 MB")
    assert isinstance(large, Failed)
    assert large.seen.endswith(" of 20.0 MB at rest")
    assert large.location == TOML
    assert isinstance(free, Exempt)
    assert free.reason.endswith("`memory-budget` is not set")
    assert yard.of(run, Drill.USER, "small").result == Passed(seen="2 processes as nobody")
    mixed, large = (yard.of(run, Drill.USER, name).result for name in ("mixed", "large"))
    assert isinstance(mixed, Failed)
    assert mixed.seen == "`sleep 600` runs as root"
    assert mixed.location == TOML
    assert isinstance(large, Failed)
    assert "runs as root" in large.seen
    assert "`user: nobody`" in large.remedy
    assert yard.of(run, Drill.USER, "free").result == Exempt(reason="it runs as root; `user` allows anybody")


@pytest.mark.parametrize(
    ("stats", "used"),
    [
        ({"usage": 100, "stats": {"inactive_file": 30}}, 70),
        ({"usage": 100, "stats": {"inactive_file": 30, "total_inactive_file": 40}}, 60),
        ({"usage": 100, "stats": {"inactive_file": 130}}, 100),
        ({"usage": 100}, 100),
    ],
)
def test_files_that_the_kernel_merely_caches_are_not_counted(stats: dict[str, Any], used: int) -> None:
    assert in_use(stats, "web-1") == used


def test_an_engine_that_does_not_count_memory_is_no_service_that_uses_none() -> None:
    with pytest.raises(Unavailable, match="does not say how much memory web-1 uses"):
        in_use({}, "web-1")


@pytest.mark.parametrize(
    ("process", "policy", "fits"),
    [
        (_of(0, "root", "nginx -g x"), AnyUser(), True),
        (_of(0, "root", "nginx -g x"), NonRoot(), False),
        (_of(0, "toor", "nginx -g x"), NonRoot(), False),
        (_of(101, "nginx", "nginx -g x"), NonRoot(), True),
        (_of(0, "root", "/sbin/tini -- nginx"), NonRoot(), True),
        (_of(0, "root", "/sbin/docker-init -- nginx"), DropsTo(name="nginx"), True),
        (_of(101, "nginx", "nginx"), DropsTo(name="nginx"), True),
        (_of(101, "nginx", "nginx"), DropsTo(name="101"), True),
        (_of(102, "other", "nginx"), DropsTo(name="nginx"), False),
        (_of(0, "root", ""), NonRoot(), False),
    ],
)
def test_a_policy_for_users_holds_for_every_process_but_a_mere_init(
    process: ProcessUser,
    policy: AnyUser | NonRoot | DropsTo,
    fits: bool,  # noqa: FBT001  # a column of the table above
) -> None:
    assert allowed(process, policy) is fits
