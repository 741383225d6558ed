r"""Everything that is installed is upgraded while the image is built.

What it checks
    Each `apt-get upgrade`, `dist-upgrade` and `full-upgrade` (and those of `apt`) of a RUN, in any stage that the image is
    made from. It is fine from a snapshot of the archive (`--snapshot`, `APT::Snapshot`), and as a simulation. Naming a
    package (`apt-get install --only-upgrade openssl`) is something else.

Why it matters
    What is installed depends on the day of the build, so that two builds of one commit differ and neither the base's tag
    nor its digest says what is in the image. Every upgraded file is in the image twice: in the layer of the base, and in
    the one above it.

How to fix
    Take a newer base image; name the packages that cannot wait.

    Bad:

        RUN apt-get update && apt-get upgrade -y && rm -rf /var/lib/apt/lists/*

    Good:

        RUN apt-get update && apt-get install -y --no-install-recommends --only-upgrade openssl \
            && rm -rf /var/lib/apt/lists/*
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hullmark.model.dockerfile import Stage
from hullmark.model.finding import Observation, Severity
from hullmark.model.rule import rule
from hullmark.rules._package_managers import upgrades

if TYPE_CHECKING:
    from hullmark.rules._package_managers import Call

_VERBS = frozenset({"dist-upgrade", "full-upgrade", "upgrade"})


@rule(summary="apt upgrades whatever is installed", severity=Severity.WARNING, since="0.1")
def apt_upgrade(stage: Stage) -> Iterator[Observation]:
    return upgrades(
        stage,
        {"apt": _VERBS},
        _is_pinned,
        instead=lambda call: f"{call.program} install --only-upgrade PACKAGE",
    )


def _is_pinned(call: Call) -> bool:
    if call.has("-s", "--simulate", "--dry-run", "--snapshot", "-S"):
        return True
    return any(value.lower().startswith("apt::snapshot=") for value in call.values("-o", "--option"))
