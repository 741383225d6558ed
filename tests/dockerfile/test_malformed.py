"""Dockerfiles that are malformed, and those that only look it: what is said of them, and what the builder says.

`malformed.toml` has four tables. What is `refused` is refused by the builder as well, what is `accepted` is accepted by it.
Where the two differ there is a reason: `stricter` is what only we refuse, `later` what only the builder refuses.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hullmark._dockerfile import load, parse
from hullmark._dockerfile.lint import lint
from hullmark.errors import ConfigurationError

TABLES: dict[str, list[dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("malformed.toml").read_text(encoding="utf-8")
)
NO_STAGE = "ARG A=1\n"
"""Not for an engine: one of version 26 does not survive it."""


def _named(*tables: str) -> list[Any]:
    return [pytest.param(each, id=ascii(each["text"])) for table in tables for each in TABLES[table]]


@pytest.mark.parametrize("case", _named("refused", "stricter"))
def test_a_malformed_file_is_refused_with_the_place_and_what_was_expected(case: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(case["text"], "Dockerfile")
    assert list(caught.value.problems) == [f"Dockerfile:{each}" for each in case["problems"]]
    assert all("; expected " in each for each in case["problems"])


@pytest.mark.parametrize("case", _named("accepted", "later"))
def test_a_file_that_only_looks_malformed_is_read_and_linted(case: dict[str, Any]) -> None:
    lint(parse(case["text"], "Dockerfile"))


def test_a_file_with_arguments_only_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"^Dockerfile:1:1: no FROM; expected at least one FROM$"):
        parse(NO_STAGE, "Dockerfile")


def test_a_file_that_is_no_text_is_refused_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes("FROM scratch\nLABEL é=".encode() + b"\xe9\n")
    with pytest.raises(ConfigurationError, match=r"^Dockerfile:2:9: byte 0xe9; expected UTF-8 text$"):
        load(Path("Dockerfile"), tmp_path)


@pytest.mark.parametrize("opening", ["ENV a=", "# ", "RUN <<EOF\n"])
@pytest.mark.parametrize("character", ["x", "é", "\U0001f6a2"])
def test_a_line_may_be_as_long_as_the_builder_can_read(opening: str, character: str) -> None:
    head, _, start = f"FROM scratch\n{opening}".rpartition("\n")
    size = len(character.encode())
    longest = start + "x" * ((65535 - len(start)) % size) + character * ((65535 - len(start)) // size)
    end = "\nEOF\n" if "EOF" in opening else "\n"
    parse(f"{head}\n{longest}{end}", "Dockerfile")
    line = head.count("\n") + 2
    with pytest.raises(ConfigurationError) as caught:
        parse(f"{head}\n{longest}x{end}", "Dockerfile")
    assert list(caught.value.problems) == [
        f"Dockerfile:{line}:1: a line that is too long; expected at most 65535 bytes"
    ]


def test_a_line_of_ten_megabytes_is_refused_and_shown_in_part() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse("FROM scratch\n" + "x" * 10_000_000, "Dockerfile")
    assert len("\n".join(caught.value.problems)) < 1000


SAMPLE = [
    "",
    "# only a comment\n",
    NO_STAGE,
    "RUN true\n",
    "FROM scratch\nRUNN true\n",
    "FROM scratch\nRUN <<EOF\ntrue\n",
    'FROM scratch\nENV a="b\n',
    "FROM scratch\nCOPY a\n",
    "FROM scratch\nCOPY --from=9 a b\n",
    "FROM scratch AS a\nCOPY --from=b / /\nFROM scratch AS b\nCOPY --from=a / /\n",
    "FROM scratch\nHEALTHCHECK --interval=5 CMD a\n",
    "FROM scratch\nEXPOSE garbage\n",
    "FROM scratch\nLABEL a=\udce9\n",
    "FROM scratch\n" + "x" * 10_000_000,
]


@pytest.mark.parametrize("text", SAMPLE, ids=range(len(SAMPLE)))
def test_the_command_ends_with_2_and_names_the_place(text: str, tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("name: small\nservices:\n  web:\n    build: .\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_bytes(text.encode("utf-8", "surrogateescape"))
    done = subprocess.run(
        [sys.executable, "-m", "hullmark", "-C", str(tmp_path), "lint"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "HULLMARK_HADOLINT": "never"},
    )
    assert done.returncode == 2, done.stderr
    assert re.search(r"(?m)^\W*(error: )?Dockerfile:\d+:\d+: .+; expected .+$", done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
def test_the_builder_refuses_and_accepts_the_same(tmp_path: Path) -> None:
    cases = [
        (table == "accepted", each["text"]) for table in ("refused", "accepted") for each in TABLES[table]
    ]

    def differs(number: int) -> str | None:
        accepted, text = cases[number]
        directory = tmp_path / str(number)
        directory.mkdir()
        (directory / "Dockerfile").write_bytes(text.encode())
        # An outline is made of everything that is parsed, and nothing is built for it.
        done = subprocess.run(
            [
                *("docker", "buildx", "build", "--print=outline", "--output", "type=cacheonly"),
                *("--progress=plain", str(directory)),
            ],
            env={**os.environ, "BUILDX_EXPERIMENTAL": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=120,
        )
        return None if (done.returncode == 0) == accepted else f"{text!r}: {done.stderr.splitlines()[-1]}"

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert [each for each in pool.map(differs, range(len(cases))) if each is not None] == []
