r"""Everything that is installed is upgraded while the image is built, by apk, dnf, yum or zypper.

What it checks
    Each `apk upgrade`, `dnf upgrade`, `yum update`, `zypper update` and their like (`distro-sync`, `upgrade-minimal`,
    `dist-upgrade`, `patch`) that names no package, in any stage that the image is made from. It is fine as a simulation,
    and from the repositories of a release that is named (`--releasever`). apt has a rule of its own, `apt-upgrade`.

Why it matters
    What is installed depends on the day of the build, so that two builds of one commit differ and neither the base's tag
    nor its digest says what is in the image. Every upgraded file is in the image twice: in the layer of the base, and in
    the one above it.

How to fix
    Take a newer base image; name the packages that cannot wait.

    Bad:

        FROM alpine:3.22
        RUN apk upgrade --no-cache

    Good:

        FROM alpine:3.22
        RUN apk upgrade --no-cache openssl
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

_VERBS = {
    "apk": frozenset({"upgrade"}),
    "dnf": frozenset(
        {"distro-sync", "dsync", "update", "update-minimal", "up", "upgrade", "upgrade-minimal"}
    ),
    "zypper": frozenset({"dist-upgrade", "dup", "patch", "up", "update"}),
}
_HARMLESS = frozenset(
    {"-s", "--simulate", "--dry-run", "-D", "--assumeno", "--downloadonly", "--download-only", "--releasever"}
)


@rule(summary="whatever is installed is upgraded", severity=Severity.WARNING, since="0.1")
def system_upgrade(stage: Stage) -> Iterator[Observation]:
    return upgrades(stage, _VERBS, _is_harmless, instead=lambda call: f"{call.program} {call.verb} PACKAGE")


def _is_harmless(call: Call) -> bool:
    return bool(call.operands) or call.has(*_HARMLESS)
