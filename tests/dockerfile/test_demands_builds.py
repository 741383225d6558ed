"""`${NAME:?message}` in Dockerfiles, against the builder itself: where it stops, and nowhere else, there is a finding."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from hullmark._dockerfile import parse
from hullmark._dockerfile.lint import lint
from hullmark.rules.dockerfile.required_argument_missing import required_argument_missing

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

SCRATCH = "FROM scratch\nARG Q\nARG EMPTY=\nENV SET=1\n"
LOCAL = "FROM debian:bookworm-slim\nARG Q\n"


@pytest.mark.parametrize(
    "text",
    [
        "ARG Q\nFROM debian:${Q:?no} AS other\nFROM scratch\nWORKDIR /a\n",
        "ARG Q\nFROM --platform=${Q:?no} scratch\nWORKDIR /a\n",
        "ARG Q\nARG B=${Q:?no}\nFROM scratch\nWORKDIR /a\n",
        "ARG P=1\nFROM scratch\nENV A=${P:?no}\n",
        "FROM scratch AS other\nENV A=${Q:?no}\nFROM scratch\nWORKDIR /a\n",
        *(
            f"{SCRATCH}{line}\nWORKDIR /a\n"
            for line in (
                *("ENV A=${Q:?no}", "ENV A=${EMPTY?no}", "ENV A=${EMPTY:?no}", "ENV A a ${Q:?no}"),
                *("LABEL a=${Q?no}", "ARG B=1 C=${B:?no}", "ENV A='${Q:?no}'", "ENV A=\\${Q:?no}"),
                *("WORKDIR /${SET:-${Q:?no}}", "WORKDIR /${SET:?no}", "WORKDIR /a b/${Q:?no}"),
                *("USER ${Q:?no}", "EXPOSE ${Q:?no}", "STOPSIGNAL ${Q:?no}", 'VOLUME ["/${Q:?no}"]'),
                *("CMD ${Q:?no}", "HEALTHCHECK CMD ${Q:?no}", "ONBUILD ENV A=${Q:?no}"),
                *("COPY --chown=${Q:?no} f /", 'COPY ["f", "/${Q:?no}"]', "ADD --checksum=${Q:?no} f /"),
                *("COPY <<E /x\nit's '${Q:?no}'\nE", "COPY <<'E' /x\n${Q:?no}\nE"),
            )
        ),
        f"{LOCAL}RUN --mount=target=/x${{Q:?no}} true\n",
        f"{LOCAL}RUN --mount=type=cache,target=/x,id=${{Q:?no}} true\n",
    ],
)
def test_the_builder_stops_where_there_is_a_finding(tmp_path: Path, text: str) -> None:
    (tmp_path / "f").touch()
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    found = lint(parse(text, "Dockerfile"), rules=[required_argument_missing])
    argv = ("docker", "build", "--progress", "plain", "--output", "type=cacheonly", str(tmp_path))
    said = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert bool(found) == ("failed to process" in said.stderr) == (said.returncode != 0), said.stderr
    assert len(found) <= 1
