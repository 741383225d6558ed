"""Findings inside of real images point at the instruction that is to be changed, not at one that happened to pass by."""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

# All of it is about images that are built once.
pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("origins")]

SITE = "/opt/venv/lib/python3.11/site-packages"
TREE = {
    f"{SITE}/idna/__init__.py": "",
    f"{SITE}/idna-3.7.dist-info/METADATA": "Metadata-Version: 2.1\nName: idna\nVersion: 3.7\n",
    f"{SITE}/idna-3.7.dist-info/RECORD": "idna/__init__.py,,\n",
    f"{SITE}/shop/__init__.py": "import idna\n",
    f"{SITE}/shop-1.0.dist-info/METADATA": (
        "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\nRequires-Dist: idna>=3\n"
    ),
    f"{SITE}/shop-1.0.dist-info/RECORD": "shop/__init__.py,,\n",
}
FILES = {
    "flat": f"""\
FROM debian:bookworm-slim AS base
COPY tree/ /
RUN mkdir -m 0777 /srv/open && cp /bin/true /srv/tool && chmod u+s /srv/tool
RUN touch /srv/open/later
RUN rm /usr/lib/*/libtinfo.so.6*
RUN rm -r {SITE}/idna {SITE}/idna-3.7.dist-info
RUN touch /opt/venv/innocent
FROM scratch AS flat
COPY --from=base / /
ARG CREATED=yesterday
LABEL org.opencontainers.image.created="$CREATED" org.opencontainers.image.url="nowhere"
FROM flat
USER root
""",
    "layers": """\
FROM debian:bookworm-slim AS tools
RUN cp /bin/true /usr/local/bin/gcc
FROM debian:bookworm-slim
COPY settings.env /app/.env
RUN echo A=1 >/app/.env.local
RUN rm /app/.env /app/.env.local
COPY --from=tools --chmod=0777 /usr/local/bin/gcc /usr/local/bin/gcc
ENV API_TOKEN=Zq8vT2mX9cLr4WbN
""",
    "bare": """\
FROM debian:bookworm-slim AS tools
FROM scratch
COPY --from=tools /bin/bash /bin/bash
""",
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What `hullmark validate` finds in each image; they are removed at once."""
    root = tmp_path_factory.mktemp("origins")
    project = f"hullmark-origins-{secrets.token_hex(4)}"
    for path, text in TREE.items():
        _write(root / "tree" / path.lstrip("/"), text)
    _write(root / "settings.env", "A=1\n")
    services = {}
    for name, text in FILES.items():
        _write(root / f"{name}.Dockerfile", text)
        services[name] = {
            "image": f"{project}-{name}:dev",
            "build": {"context": ".", "dockerfile": f"{name}.Dockerfile"},
        }
    _write(root / "compose.yml", json.dumps({"name": project, "services": services}))
    _write(root / "hullmark.toml", "".join(f'[services.{name}]\nuser = "non-root"\n' for name in FILES))
    try:
        assert _run(root, "build")[0] == 0
        report = json.loads(_run(root, "validate")[1])
    finally:
        names = [str(service["image"]) for service in services.values()]
        subprocess.run(["docker", "image", "rm", "--force", *names], check=False, capture_output=True)
    assert {each["status"] for each in report["outcomes"]} == {"ran"}
    return {name: [each for each in report["findings"] if each["service"] == name] for name in FILES}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _run(root: Path, *arguments: str) -> tuple[int, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    environ = {**os.environ, "HULLMARK_NO_CACHE": "1", "HULLMARK_HADOLINT": "never"}
    code = main(
        ["-C", str(root), *arguments, "--format", "json"], stdout=stdout, stderr=stderr, environ=environ
    )
    assert stdout.getvalue(), stderr.getvalue()
    return code, stdout.getvalue()


def _lines(findings: list[dict[str, Any]], rule: str) -> list[int]:
    places = [each["origin"] or each["location"] for each in findings if each["rule"] == rule]
    return sorted(place["line"] for place in places)


@pytest.mark.parametrize(
    ("rule", "instructions"),
    [
        ("world-writable-path", ["RUN mkdir -m 0777"]),
        ("setuid-file", ["RUN mkdir -m 0777"]),
        ("missing-library", ["RUN rm /usr/lib/*/libtinfo.so.6*"]),
        ("missing-python-package", [f"RUN rm -r {SITE}/idna"]),
        ("malformed-label", ["LABEL", "LABEL"]),
        ("root-user", ["USER root"]),
        ("missing-image-healthcheck", ["FROM flat"]),
    ],
)
def test_through_a_squash_the_instruction_that_did_it_is_named(
    findings: dict[str, list[dict[str, Any]]], rule: str, instructions: list[str]
) -> None:
    lines = FILES["flat"].splitlines()
    expected = [
        next(number for number, line in enumerate(lines, 1) if line.startswith(each)) for each in instructions
    ]
    assert _lines(findings["flat"], rule) == expected


def test_a_label_that_is_made_of_a_build_argument_names_it(
    findings: dict[str, list[dict[str, Any]]],
) -> None:
    seen = {each["seen"] for each in findings["flat"] if each["rule"] == "malformed-label"}
    assert seen == {
        "`org.opencontainers.image.created` is `yesterday`, made of `CREATED`",
        "`org.opencontainers.image.url` is `nowhere`",
    }


def test_what_took_a_package_away_is_said_and_to_be_changed(
    findings: dict[str, list[dict[str, Any]]],
) -> None:
    [lost] = [each for each in findings["flat"] if each["rule"] == "missing-python-package"]
    assert lost["seen"].startswith("no `idna`, required by `shop`; `RUN rm -r ")
    assert lost["seen"].endswith("(flat.Dockerfile:6) took it away")
    assert lost["remedy"] == "keep `idna` out of what that RUN takes away"


def test_an_environment_file_names_what_wrote_it_and_what_hides_it(
    findings: dict[str, list[dict[str, Any]]],
) -> None:
    found = {
        each["location"]["path"]: each for each in findings["layers"] if each["rule"] == "env-file-in-layer"
    }
    copied, made = found["/app/.env"], found["/app/.env.local"]
    hidden = "hidden by `RUN rm /app/.env /app/.env.local` (layers.Dockerfile:6)"
    assert copied["seen"] == (
        "`/app/.env` (4 bytes) in layer 2 of 5, written by `COPY settings.env /app/.env` (layers.Dockerfile:4), "
        f"{hidden}"
    )
    assert (copied["location"]["layer"], copied["origin"]["line"]) == (1, 4)
    assert "`.dockerignore`" in copied["remedy"]
    assert made["seen"].endswith(f"(layers.Dockerfile:5), {hidden}")
    assert made["remedy"] == (
        "mount it with `RUN --mount=type=secret`, or delete `.env.local` in the same RUN that writes it"
    )


def test_what_a_copy_changes_or_brings_is_its_own(findings: dict[str, list[dict[str, Any]]]) -> None:
    for rule in ("world-writable-path", "compiler-left"):
        assert _lines(findings["layers"], rule) == [7]
    assert _lines(findings["layers"], "secret-in-env") == [8]


def test_a_copy_that_leaves_the_libraries_of_a_program_behind_is_named(
    findings: dict[str, list[dict[str, Any]]],
) -> None:
    [lost] = [each for each in findings["bare"] if each["rule"] == "missing-library"]
    assert lost["origin"]["line"] == 3
    assert lost["seen"].endswith(
        "`COPY --from=tools /bin/bash /bin/bash` (bare.Dockerfile:3) leaves it behind"
    )
