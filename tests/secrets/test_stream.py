"""Bytes that pass by in pieces: wherever pieces, windows and files end, the same is found, and nothing is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.calls import calls

from hullmark._images.cache import Cache
from hullmark._secrets.redaction import fingerprint
from hullmark._secrets.stream import MOST, SecretScanner, decode
from hullmark.model.image import Content
from hullmark.testing import planted

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.secrets.conftest import Laboratory

WINDOW = 1 << 20


@pytest.mark.parametrize("step", [1, 7, 4096, WINDOW, 3 * WINDOW])
def test_what_is_found_does_not_depend_on_how_the_bytes_come(chance: random.Random, step: int) -> None:
    secrets = [planted(each, chance) for each in ("github-token", "private-key", "npm-token", "url-password")]
    content = b" " + b" ".join(each.text.encode() + b" " + chance.randbytes(400) for each in secrets)
    content = content if step == 1 else content * 300
    stream = SecretScanner().begin(lambda _: Content(0, 0, len(content)))
    for at in range(0, len(content), step):
        stream.write(content[at : at + step])
    found = decode(stream.finish()).secrets
    assert len(found) == (4 if step == 1 else 1200)
    assert {each.hash for each in found} == {fingerprint(each.secret.encode()) for each in secrets}


@pytest.mark.parametrize("before", [0, 1, 20, 100, 2000, 8192, 9000, 10240, 10260])
@pytest.mark.parametrize("format_", ["gitlab-token", "private-key", "json-web-token"])
def test_a_secret_across_the_end_of_a_window_is_found_once_at_its_place(
    laboratory: Laboratory, chance: random.Random, before: int, format_: str
) -> None:
    secret = planted(format_, chance)
    filling = b"\0" * (2 * WINDOW - before)
    scan = laboratory.scan([{"/large": filling + b"\n" + secret.text.encode() + b"\n" + filling}])
    assert [each.likeness.hash for each in scan.secrets] == [fingerprint(secret.secret.encode())]
    assert scan.secrets[0].offset >= len(filling)


def test_a_secret_ends_where_its_file_does_and_the_next_one_is_no_part_of_it(
    laboratory: Laboratory, chance: random.Random
) -> None:
    secret = planted("gitlab-token", chance).text.encode()
    whole = b"x" * (512 - len(secret) - 1) + b"\n" + secret
    assert len(whole) == 512, "the header of the next file follows at once"
    halves = {"/a": whole, "b": b"", "/c": b"x" * (512 - 10) + secret[:10], "/d": secret[10:]}
    scan = laboratory.scan([halves])
    assert [(each.path, each.offset) for each in scan.secrets] == [("/a", 512 - len(secret))]


def test_names_of_files_are_not_their_contents(laboratory: Laboratory, chance: random.Random) -> None:
    assert not laboratory.scan([{f"/srv/{planted('npm-token', chance).text}": b"x"}]).secrets


def test_what_is_more_than_is_kept_is_counted(laboratory: Laboratory, chance: random.Random) -> None:
    secret = planted("npm-token", chance).text
    scan = laboratory.scan([{"/many": f"{secret}\n".encode() * (MOST + 5)}])
    assert len(scan.secrets) == MOST
    assert scan.dropped == 5


def test_archives_that_nobody_looked_into_are_counted(laboratory: Laboratory) -> None:
    scan = laboratory.scan([{"/a.zip": b"PK", "/b.tar.gz": b"\x1f\x8b", "/c.txt": b"x"}, {"/d.jar": b"PK"}])
    assert scan.archives == 3


def test_a_layer_that_was_looked_through_is_not_read_again(
    laboratory: Laboratory, tmp_path: Path, chance: random.Random
) -> None:
    laboratory.cache = Cache(tmp_path / "cache")
    secret = planted("npm-token", chance)
    files = [{"/a": f"{secret.text}\n".encode()}]
    first = laboratory.image(files)
    again = laboratory.image(files)
    assert first.layers[0].scanned == again.layers[0].scanned
    assert "1 of 1 layers known from before" in again.how
    kept = b"".join(path.read_bytes() for path in (tmp_path / "cache").iterdir())
    assert secret.text.encode() not in kept
    assert secret.text.encode() not in (first.layers[0].scanned or b"")


def test_a_layer_that_nobody_looked_through_is_read_again_for_that(
    laboratory: Laboratory, tmp_path: Path, chance: random.Random
) -> None:
    class Blind(SecretScanner):
        """Another version."""

    laboratory.cache = Cache(tmp_path / "cache")
    files = [{"/a": f"{planted('npm-token', chance).text}\n".encode()}]
    laboratory.image(files)
    other = Blind()
    other.name = "secrets/another"
    again = laboratory.image(files, other)
    assert "known from before" not in again.how
    assert decode(again.layers[0].scanned or b"").secrets


@pytest.mark.parametrize(
    "line",
    [b"token=aaaaaaaaaaaaaaaaaaaa\n", b"://a:bbbb@c ", b'"auth": "c2VjcmV0OnNl"', b"eyJ.eyJaaaaaaaaaaa"],
)
def test_what_a_hostile_file_costs_grows_with_its_size_and_no_faster(line: bytes) -> None:
    def scan(size: int) -> None:
        content = line * (size // len(line))
        stream = SecretScanner().begin(lambda _: Content(0, 0, len(content)))
        stream.write(content)
        stream.finish()

    size = WINDOW // 8
    once = calls(lambda: scan(size), most=5 * size)
    calls(lambda: scan(3 * size), most=round(3.3 * once))
