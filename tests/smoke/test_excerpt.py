"""What is quoted of a log: the lines that say why, not only those that came last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._smoke.excerpt import LAST, LINES, excerpt

NOISE = [f"GET /item/{n} 200" for n in range(200)]


def test_a_short_log_is_quoted_whole_and_without_empty_lines() -> None:
    assert excerpt(["starting", "", "  ", "listening"]) == ("starting", "listening")


def test_a_log_that_says_nothing_is_quoted_from_its_end() -> None:
    assert excerpt(NOISE) == tuple(NOISE[-LINES:])


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-24 FATAL: password authentication failed for user",
        "panic: runtime error: index out of range",
        "redis.exceptions.ConnectionError: Error 111",
        "Error: listen EADDRINUSE: address already in use :::3000",
        "E1124 12:00:00.1 server.go:12] bind",
        "sh: 1: migrate: not found",
        "could not connect to server",
    ],
)
def test_a_line_that_sounds_like_an_error_is_quoted_wherever_it_stands(line: str) -> None:
    quoted = excerpt([*NOISE[:50], line, *NOISE[50:]])
    assert quoted[0] == line
    assert quoted[-LAST:] == tuple(NOISE[-LAST:])
    assert len(quoted) == LINES


@pytest.mark.parametrize("line", ["compiled with 0 errors", "done without failures", "terror in the aisle"])
def test_a_line_that_only_looks_like_one_is_not(line: str) -> None:
    assert line not in excerpt([*NOISE[:50], line, *NOISE[50:]])


def test_of_a_traceback_the_last_frame_and_what_was_raised_are_quoted() -> None:
    frames = [text for n in range(30) for text in (f'  File "/app/m{n}.py", line {n}, in f', "    f()")]
    log = [*NOISE, "Traceback (most recent call last):", *frames, "KeyError: 'DATABASE_URL'", *NOISE[:20]]
    quoted = excerpt(log)
    at = quoted.index('  File "/app/m29.py", line 29, in f')
    assert quoted[at : at + 3] == (
        '  File "/app/m29.py", line 29, in f',
        "    f()",
        "KeyError: 'DATABASE_URL'",
    )
    assert '  File "/app/m28.py", line 28, in f' not in quoted


def test_a_traceback_behind_a_prefix_and_one_that_was_cut_off_are_understood() -> None:
    log = [
        f"web | {line}"
        for line in ["Traceback (most recent call last):", '  File "a.py", line 1', "    x", "Stop"]
    ]
    assert "web | Stop" in excerpt([*log, *NOISE])
    assert '  File "a.py", line 1' in excerpt(
        ["Traceback (most recent call last):", '  File "a.py", line 1', *["  x"] * 50]
    )


def test_of_a_stack_of_other_languages_the_top_is_quoted() -> None:
    stack = ["the kettle is empty", *(f"    at f{n} (/app/index.js:{n}:1)" for n in range(40))]
    quoted = excerpt([*NOISE, *stack, *NOISE[:30]])
    at = quoted.index("the kettle is empty")
    assert quoted[at + 1] == "    at f0 (/app/index.js:0:1)"


@given(
    st.lists(
        st.text(max_size=30) | st.sampled_from(["Traceback (most recent call last):", '  File "a", line 1'])
    )
)
def test_lines_are_quoted_in_their_order_and_never_too_many(lines: list[str]) -> None:
    quoted = excerpt(lines)
    assert len(quoted) <= LINES
    rest = iter(lines)
    assert all(line in rest for line in quoted)
    assert not lines or not lines[-1].strip() or quoted[-1] == lines[-1]
