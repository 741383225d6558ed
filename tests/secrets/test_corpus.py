"""Hundreds of secrets of all formats, in all kinds of files and layers: nearly all are found, and told as what they are."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from hullmark._secrets.engine import finder, plain
from hullmark._secrets.redaction import fingerprint
from hullmark._secrets.stream import SecretScanner
from hullmark.model.secret import Whereabouts
from hullmark.testing import SECRET_FORMATS, planted

if TYPE_CHECKING:
    from hullmark.testing import Planted

    from .conftest import Laboratory

AROUND = ("SHOP={}\n", '{{"shop": [1, "{}"]}}', "key: '{}'\nother: x\n", "\x7fELF\x00\x01{}\x00\x00")
ENGINES = {"hyperscan": finder, "plain": plain}


def corpus(seed: str) -> list[tuple[str, Planted, bytes]]:
    """A path, a secret and the content of a file with it; four for each format."""
    chance = random.Random(seed)  # noqa: S311  # nobody relies on these
    made = []
    for format_ in SECRET_FORMATS:
        for number, around in enumerate(AROUND):
            secret = planted(format_, chance)
            filling = chance.randbytes(chance.randrange(3000)) if number == len(AROUND) - 1 else b"# shop\n"
            content = filling + b"\n" + around.format(secret.text).encode()
            made.append((f"/srv/{format_}/{number}", secret, content))
    return made


@pytest.mark.parametrize("engine", ENGINES)
def test_at_least_99_of_100_secrets_are_found_and_told_visible_or_buried(
    laboratory: Laboratory, engine: str
) -> None:
    made = corpus("recall")
    assert len(made) >= 500
    lower = {path: content for path, _, content in made[::2]}
    upper = {path: content for path, _, content in made[1::2]}
    removed: dict[str, bytes | None] = dict.fromkeys(list(lower)[::3])
    scan = laboratory.scan([lower, upper, removed], SecretScanner(ENGINES[engine]))
    found = {(each.path, each.likeness.hash): each for each in scan.secrets}
    missed = [
        secret.format for path, secret, _ in made if (path, fingerprint(secret.secret.encode())) not in found
    ]
    assert len(missed) <= len(made) // 100, missed
    for each in scan.secrets:
        buried = each.path in removed
        assert each.whereabouts is (Whereabouts.BURIED if buried else Whereabouts.VISIBLE)
        assert each.layer == (0 if each.path in lower else 1)
    assert scan.packaged == ()
    assert len(scan.secrets) <= len(made) * 1.01, "something is found that nobody planted"


def test_both_engines_find_the_same(laboratory: Laboratory) -> None:
    files = {path: content for path, _, content in corpus("engines")}
    noise = random.Random("noise")  # noqa: S311
    files["/noise"] = noise.randbytes(3_000_000)
    files["/text"] = (
        b"token = not one\npassword: $PASSWORD\nhttps://user:pass@host/\nsk-ant-api03-...\n" * 400
    )
    one, other = (laboratory.scan([files], SecretScanner(engine)).secrets for engine in (finder, plain))
    assert one == other
    assert one


@pytest.mark.parametrize("format_", SECRET_FORMATS)
def test_a_format_is_told_by_its_name(laboratory: Laboratory, format_: str, chance: random.Random) -> None:
    secret = planted(format_, chance)
    scan = laboratory.scan([{"/etc/shop": f"{secret.text}\n".encode()}])
    assert [each.likeness.format for each in scan.secrets] == [format_]
