"""What was predicted is what images that really are squashed and stripped save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullmark._contents.attribution import attribute
from hullmark._contents.elf import ElfCapture
from hullmark._contents.filesystem import overlay
from hullmark._contents.reclaim import reclaim
from hullmark.model.reclaim import Waste

if TYPE_CHECKING:
    from tests.contents.conftest import Build, Open

    from hullmark.model.reclaim import Reclaim

pytestmark = pytest.mark.docker

WASTEFUL = """\
FROM debian:bookworm-slim AS wasteful
RUN apt-get update && apt-get install -y --no-install-recommends binutils gcc libc6-dev python3
RUN printf 'int f(int x){return x;}\\nint main(void){return f(0);}\\n' > /tmp/a.c \\
    && gcc -g3 -include stdio.h -include stdlib.h -include signal.h /tmp/a.c -o /usr/local/bin/program \\
    && gcc -g3 -include stdio.h -shared -fPIC /tmp/a.c -o /usr/local/lib/library.so \\
    && head -c 3000000 /dev/urandom > /usr/local/data && cp /usr/local/data /usr/local/copy \\
    && mkdir -p /usr/share/locale/de /root/.cache/pip && cp /usr/bin/ld.gold /usr/share/locale/de/ \\
    && cp /usr/bin/as /root/.cache/pip/
RUN rm -rf /usr/lib/gcc /var/cache/apt/archives && head -c 1000 /dev/zero > /usr/local/data
"""
# Most kinds by the commands that people use for them, in the order in which a file is counted.
REMOVE = {
    Waste.PACKAGE_LISTS: "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin",
    Waste.PACKAGE_CACHES: "rm -rf /root/.cache/pip",
    Waste.BYTE_CODE: "find / -xdev -name '*.py[co]' -delete",
    Waste.TESTS: "find /usr/lib/python3* -type d -name 'test*' -prune -exec rm -rf {} +",
    Waste.DOCUMENTATION: "rm -rf /usr/share/man /usr/share/info /usr/share/doc-base"
    " && find /usr/share/doc -type f ! -name copyright -delete",
    Waste.LOCALES: "find /usr/share/locale -type f ! -name locale.alias -delete",
    Waste.STATIC_LIBRARIES: "find / -xdev '(' -name '*.a' -o -name '*.la' ')' -delete",
    Waste.HEADERS: "rm -rf /usr/include && find / -xdev -name '*.h' -delete",
}


def _close(predicted: int, real: int) -> bool:
    return abs(predicted - real) <= 0.01 * real


def test_a_squash_saves_what_was_predicted(build: Build, opened: Open) -> None:
    before = opened(build(WASTEFUL))
    found = reclaim(overlay(before.layers), attribute(before))
    after = opened(build(f"{WASTEFUL}FROM scratch\nCOPY --from=wasteful / /\n"))
    assert len(after.layers) == 1
    assert found.squash > 30_000_000
    assert _close(found.squash, before.unpacked - after.unpacked)
    assert reclaim(overlay(after.layers), attribute(after)).squash == 0
    [largest, *_] = found.hidden
    assert largest.written.text.startswith("RUN apt-get update && apt-get install")
    assert largest.hidden.text.startswith("RUN rm -rf /usr/lib/gcc")


def _removals(found: Reclaim) -> dict[Waste, str]:
    """A command for every kind of waste: what was found is stripped or linked where names alone do not tell."""
    commands = {waste: REMOVE[waste] for waste in REMOVE if found.saving(waste)}
    commands[Waste.DUPLICATES] = " && ".join(
        f"ln -f '{each.paths[0]}' '{path}'" for each in found.duplicates for path in each.paths[1:]
    )
    for waste, option in ((Waste.DEBUG_SECTIONS, "--strip-debug"), (Waste.SYMBOLS, "--strip-unneeded")):
        [saving] = [each for each in found.savings if each.waste is waste]
        assert len(saving.top) == saving.files
        commands[waste] = f"strip {option} {' '.join(each.path for each in saving.top)}"
    return commands


def test_a_strip_saves_what_was_predicted(build: Build, opened: Open) -> None:
    before = opened(build(WASTEFUL), ElfCapture())
    found = reclaim(overlay(before.layers), attribute(before), top=1_000_000)
    commands = _removals(found)
    assert {saving.waste for saving in found.savings} == set(commands)
    after = opened(build(WASTEFUL + "".join(f"RUN {command}\n" for command in commands.values())))
    seen = [
        overlay(after.layers[:count]).visible_bytes
        for count in range(len(before.layers), len(after.layers) + 1)
    ]
    for waste, was, is_now in zip(commands, seen[:-1], seen[1:], strict=True):
        assert found.saving(waste) > 1_000, waste
        assert _close(found.saving(waste), was - is_now), (waste, found.saving(waste), was - is_now)
