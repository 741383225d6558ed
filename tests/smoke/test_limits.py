"""However much a container prints or holds, what is kept of it has a limit, and what is left out is said."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._smoke.archive import first_file
from hullmark._smoke.artifacts import _log
from hullmark._smoke.ends import MOST, Ends
from hullmark._smoke.frames import pieces
from hullmark._smoke.links.neighbours import authorities
from hullmark._smoke.probes import run_inside
from hullmark._smoke.probes.command import execute, run_apart
from hullmark._smoke.probes.filling import Filling
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOOD = "head -c 30000000 /dev/zero | tr '\\0' x"
ENVIRONMENT = ["SSL_CERT_FILE=/large.pem"]
FILLING = Filling.of(())


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(min_value=2, max_value=60))
def test_what_is_kept_is_the_beginning_and_the_end(parts: list[bytes], most: int) -> None:
    ends = Ends(most=most)
    for part in parts:
        ends.add(part)
    whole = b"".join(parts)
    if len(whole) <= 2 * (most // 2):
        assert (ends.first, ends.last, ends.left_out) == (whole, b"", 0)
        assert ends.text == whole.decode("utf-8", "replace")
    else:
        half = most // 2
        assert (ends.first, ends.last) == (whole[:half], whole[-half:])
        assert ends.left_out == len(whole) - 2 * half
        assert f"[{ends.left_out} bytes left out]" in ends.text


@given(st.data())
def test_outputs_are_told_apart_wherever_what_comes_is_cut(data: st.DataObject) -> None:
    said = data.draw(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=50)), max_size=10))
    sent = b"".join(
        bytes([2 if error else 1, 0, 0, 0]) + len(text).to_bytes(4, "big") + text for error, text in said
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    chunks = [sent[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    found = list(pieces(chunks))
    for error in (False, True):
        assert b"".join(text for kind, text in found if kind is error) == b"".join(
            text for kind, text in said if kind is error
        )


def test_a_log_without_an_end_of_line_is_kept_at_both_ends() -> None:
    def endless(**_options: Any) -> Iterator[bytes]:
        yield b"first\n"
        for _ in range(3000):
            yield b"x" * 4096
        yield b"\nlast\n"

    lines = list(_log(SimpleNamespace(logs=endless), most=4_000_000))  # type: ignore[arg-type]
    assert (lines[0], lines[-1]) == ("first", "last")
    assert sum(map(len, lines)) < 4_000_100
    assert any(line.endswith(" bytes left out]") for line in lines)


@pytest.mark.docker
def test_a_container_cannot_fill_the_memory_of_whoever_looks_into_it(bench: Any) -> None:
    container = bench.engine.client.containers.run(
        bench.images.box, ["sleep", "600"], environment=ENVIRONMENT, detach=True
    )
    stack: Any = SimpleNamespace(engine=bench.engine, container=lambda _: container)
    try:
        code, output = run_inside(stack, "web", ("sh", "-c", f"echo begin; {FLOOD}; echo; echo end"), 120.0)
        assert (code, output[:6], output[-5:]) == (0, "begin\n", "\nend\n")
        assert MOST < len(output) < MOST + 100
        said = {
            word: execute(
                stack, "web", bench.execute("sh", "-c", f"{FLOOD}; echo end", text=word), FILLING, 120.0
            )
            for word in ("end", "middle")
        }
        assert said["end"] is not None
        assert said["end"].passed
        assert said["middle"] is not None
        assert said["middle"].seen.endswith(
            "(without `middle` in the first and the last 4.0 MB of its output)"
        )
        with pytest.raises(Unavailable, match=r"`sh` in `web` prints more than 8\.0 MB"):
            run_apart(stack, "web", ("sh", "-c", FLOOD), 120.0, {})
        # What never ends is given up in time.
        assert run_inside(stack, "web", ("yes",), 1.0) == (None, "")
        assert run_inside(stack, "web", ("truncate", "-s", "40000000", "/large.pem"), 60.0)[0] == 0
        with pytest.raises(Unavailable, match=r"`/large\.pem` of \S+ is larger than 16\.8 MB"):
            authorities(container)
        assert first_file(container, "/dev/zero", most=100) is None
        assert (first_file(container, "/www", most=100), run_inside(stack, "web", ("true",), 60.0)) == (
            b"hello\n",
            (0, ""),
        )
    finally:
        container.remove(force=True)
