"""How far a release is: written down so that a change is seen, and put together from what several machines say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._release.state import decode, encode, load, merged, path_of, save
from hullmark.errors import ConfigurationError, UsageError
from hullmark.model.journal import Move
from hullmark.model.staging import Attached, Passage, Published, Staged, StagedService, State

if TYPE_CHECKING:
    from pathlib import Path

A, B = (f"sha256:{digit * 64}" for digit in "ab")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def _image(platform: str, digest: str) -> Staged:
    return Staged(
        platform=platform,
        reference=f"r.example/web:1.4.0-{platform.rpartition('/')[2]}",
        digest=digest,
        image=digest,
        media_type=MANIFEST,
        size=7,
        attestations=(Attached(digest=B, media_type=MANIFEST, size=8, annotations=(("a", "b"),)),),
    )


STATE = State(
    project="shop",
    version="1.4.0",
    revision="1" * 40,
    created=1_700_000_000,
    platforms=("linux/amd64", "linux/arm64"),
    moving=("1.4", "latest"),
    services=(StagedService(name="web", repository="r.example/web", images=(_image("linux/amd64", A),)),),
    seen=(("r.example/web", "latest", None),),
    gate=(
        Passage(platform="linux/amd64", exit_code=0, checks=("validate",), images=(f"r.example/web@{A}",)),
    ),
    indexes=(Published(service="web", digest=B, size=9),),
    journal=(Move(repository="r.example/web", tag="latest", before=None, after=B),),
)


def test_what_is_written_is_read_back_and_equal_states_are_equal_bytes() -> None:
    assert decode(encode(STATE), "a") == STATE
    assert encode(decode(encode(STATE), "a")) == encode(STATE)


@given(st.data())
def test_a_single_byte_that_is_changed_is_seen(data: st.DataObject) -> None:
    document = bytearray(encode(STATE))
    at = data.draw(st.integers(0, len(document) - 1))
    document[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != document[at]))
    with pytest.raises(ConfigurationError, match="a: "):
        decode(bytes(document), "a")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (b"", "not the state of a release"),
        (b"[1]", "not the state of a release"),
        (b"[" * 100_000, "not the state of a release"),
        (b" " * (5 << 20), "no more than"),
        (
            encode(replace(STATE, indexes=(Published(service="web", digest="sha256:x", size=1),))),
            "not a digest",
        ),
        (encode(replace(STATE, seen=(("r.example/other", "latest", A),))), "belongs to no service"),
        (encode(replace(STATE, moving=("1.4",))), "is no tag of the release"),
        (encode(replace(STATE, journal=(replace(STATE.journal[0], after=A),))), "is not the index"),
    ],
)
def test_what_is_no_state_of_a_release_is_refused_with_its_name(document: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=f"a: .*{problem}"):
        decode(document, "a")


def test_a_file_that_is_damaged_says_how_to_do_without_it(tmp_path: Path) -> None:
    save(tmp_path, STATE)
    path_of(tmp_path, STATE.version).write_bytes(encode(STATE)[:-9])
    with pytest.raises(ConfigurationError, match="not the state of a release") as caught:
        load(tmp_path, STATE.version)
    assert f"remove the file, then `hullmark release {STATE.version} --resume`" in str(caught.value.hint)


def test_what_two_machines_have_built_is_put_together() -> None:
    service = replace(STATE.services[0], images=(_image("linux/arm64", B),))
    mine = replace(STATE, indexes=(), journal=())
    both = merged([mine, replace(mine, services=(service,), gate=())])
    assert [each.platform for each in both.services[0].images] == ["linux/amd64", "linux/arm64"]
    assert STATE.missing == ("web for linux/arm64",)
    assert both.missing == ()
    assert both.passed("linux/amd64")
    assert not both.gated


def test_a_journal_is_not_lost_when_states_are_put_together() -> None:
    before = replace(STATE, indexes=(), journal=())
    assert merged([before, STATE]) == merged([STATE, before]) == STATE
    other = replace(STATE, journal=(replace(STATE.journal[0], before=A),))
    with pytest.raises(UsageError, match="move tags in different ways"):
        merged([STATE, other])


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (replace(STATE, revision="2" * 40), "their revision is"),
        (replace(STATE, platforms=("linux/amd64",)), "their platforms is"),
        (replace(STATE, services=()), "other services"),
        (
            replace(STATE, services=(replace(STATE.services[0], images=(_image("linux/amd64", B),)),)),
            "do not agree on web for linux/amd64",
        ),
    ],
)
def test_what_is_not_of_one_release_is_not_put_together(other: State, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        merged([STATE, other])


def test_images_pass_the_gate_as_a_set() -> None:
    other = StagedService(name="api", repository="r.example/api", images=(_image("linux/amd64", A),))
    assert STATE.passed("linux/amd64")
    assert not replace(STATE, services=(*STATE.services, other)).passed("linux/amd64")
    again = replace(STATE.services[0], images=(_image("linux/amd64", B),))
    assert not replace(STATE, services=(again,)).passed("linux/amd64")
