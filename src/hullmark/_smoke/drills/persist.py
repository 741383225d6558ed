"""Persist: what was written before everything is stopped, and before containers are replaced, is there afterwards."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._smoke.drills.user import program
from hullmark._smoke.privileges import process_users
from hullmark._smoke.probes import run_inside, shorten
from hullmark.errors import Unavailable
from hullmark.model.drill import Drill, Exempt, Failed, Passed, Persistence, Undrilled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._smoke.drills.ground import Ground
    from hullmark.model.drill import DrillResult, DrillRun

UNKNOWN = "nothing says how data is written to it (`[[services.NAME.persist]]`)"
_PSQL = """
export PGPASSWORD="${POSTGRES_PASSWORD-}"
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}" "$@"; }
# The socket may be for the user of the same name only.
if ask -c "SELECT 1" >/dev/null 2>&1; then ask -c "$0"; else ask -h 127.0.0.1 -c "$0"; fi
"""


@dataclass(kw_only=True)
class Keeper:
    """A service that keeps data, and how one sees that it does."""

    service: str
    persist: tuple[Persistence, ...]
    derived: bool
    trouble: str = ""
    """Why nothing could be written, if so."""


def drill(ground: Ground) -> Iterator[DrillRun]:
    """A restart of everything, and then new containers for everything, with data written before."""
    if ground.lost:
        yield from ground.each(Drill.PERSIST, lambda *_: Exempt(reason=UNKNOWN), gentle=True)
        return
    keepers = written(ground)
    writing = [each for each in keepers.values() if each.persist and not each.trouble]
    began = time.monotonic()
    restarted = replaced = ""
    lost: dict[str, str] = {}
    if writing:
        restarted = ground.composed("stop") or ground.revived(ground.project.settings.smoke_timeout)
        if not restarted:
            lost = {each.service: unread(ground, each, "after a restart of everything") for each in writing}
            kept = [each for each in writing if not lost[each.service]]
            replaced = _replaced(ground)
            if not replaced:
                lost |= {
                    each.service: unread(ground, each, "in a new container on the same volumes")
                    for each in kept
                }
    why = restarted or replaced
    seconds = time.monotonic() - began
    for name in ground.services:
        keeper = keepers[name]
        yield ground.attempt(
            Drill.PERSIST,
            name,
            lambda keeper=keeper: _result(keeper, lost.get(keeper.service, ""), why),  # type: ignore[misc]  # a default is no parameter
            gentle=True,
            took=seconds if keeper in writing else 0.0,
        )
    if writing:
        ground.heal("the drill `persist`")


def _result(keeper: Keeper, lost: str, why: str) -> DrillResult:
    name = keeper.service
    if not keeper.persist:
        return Exempt(reason=UNKNOWN)
    if keeper.trouble:
        return Exempt(reason=keeper.trouble) if keeper.derived else Undrilled(error=keeper.trouble)
    if lost:
        return Failed(
            seen=lost,
            remedy=f"mount a volume at the directory in which `{name}` keeps its data, and let it write to disk before it "
            "ends",
            key="lost",
            location=None if keeper.derived else keeper.persist[0].origin,
        )
    if why:
        return Undrilled(error=f"the stack did not come up again: {why}")
    return Passed(seen="what was written is there after a restart of everything, and in new containers")


# --- writing and reading -------------------------------------------------------------------------------------------


def written(ground: Ground) -> dict[str, Keeper]:
    """How each service keeps data, after something was written to each that does."""
    return {name: _written(ground, name) for name in ground.services}


def _written(ground: Ground, name: str) -> Keeper:
    settings = ground.project.settings.service(name).drills
    if Drill.PERSIST in settings.skip:
        return Keeper(service=name, persist=(), derived=False)
    keeper = (
        Keeper(service=name, persist=settings.persist, derived=False)
        if settings.persist
        else Keeper(service=name, persist=derived(ground, name), derived=True)
    )
    for each in keeper.persist:
        try:
            code, output = run_inside(ground.stack, name, each.write, each.timeout)
        except Unavailable as error:
            keeper.trouble = error.message
            break
        if code != 0:
            what = "the derived statement" if keeper.derived else f"`{shorten(' '.join(each.write))}`"
            keeper.trouble = f"nothing could be written: {what} {_ended(code, output)}"
            break
    return keeper


def unread(ground: Ground, keeper: Keeper, when: str) -> str:
    """What `keeper` has not got any more, as a sentence; empty when all is there."""
    for each in keeper.persist:
        deadline = time.monotonic() + each.timeout
        while True:
            try:
                code, output = run_inside(ground.stack, keeper.service, each.read, each.timeout)
            except Unavailable as error:
                code, output = None, error.message
            if code == 0 and (each.expect is None or each.expect in output):
                break
            # What has only just come up may still be reading its files.
            if time.monotonic() > deadline or ground.engine.cancelled.wait(0.5):
                wanted = f", without `{each.expect}`" if each.expect is not None and code == 0 else ""
                shown = "the derived query" if keeper.derived else f"`{shorten(' '.join(each.read))}`"
                said = shorten(output)
                return f"{when} {shown} ends with exit code {code}{wanted}{f': {said}' if said else ''}"
    return ""


def _ended(code: int | None, output: str) -> str:
    how = "does not end in time" if code is None else f"ends with exit code {code}"
    said = shorten(output)
    return f"{how}{f': {said}' if said else ''}"


def derived(ground: Ground, name: str) -> tuple[Persistence, ...]:
    """How data is written to a service that is known, and that has a volume to keep it on; nothing for any other."""
    container = ground.stack.container(name)
    if not any(each.get("Type") == "volume" for each in container.attrs.get("Mounts") or ()):
        return ()
    try:
        programs = {program(each).rstrip(":") for each in process_users(container)}
    except Unavailable:
        return ()
    token = f"hullmark-{secrets.token_hex(6)}"
    here = ground.project.service(name).span
    if programs & {"postgres", "postmaster"}:
        table = token.replace("-", "_")
        return (
            Persistence(
                write=("sh", "-c", _PSQL, f"CREATE TABLE {table} AS SELECT '{token}' AS kept"),
                read=("sh", "-c", _PSQL, f"TABLE {table}"),
                expect=token,
                origin=here,
            ),
        )
    for server, client in (("redis-server", "redis-cli"), ("valkey-server", "valkey-cli")):
        if server in programs:
            return (
                Persistence(
                    write=(client, "SET", token, token),
                    read=(client, "GET", token),
                    expect=token,
                    origin=here,
                ),
            )
    return ()


# --- the whole stack -----------------------------------------------------------------------------------------------


def _replaced(ground: Ground) -> str:
    """Has new containers take the place of all; why they do not get well, if so."""
    try:
        ground.recreate(ground.services)
    except Unavailable as error:
        return error.message
    return ground.unwell(ground.services, ground.project.settings.smoke_timeout)
