"""What is no proof that an installation reads its manifest alone, and that `lint --fix` makes a move that is proven."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from hullmark._cli import main
from hullmark._dockerfile import measure, parse
from hullmark._dockerfile.lint import lint
from hullmark.model.fix import Applicability

if TYPE_CHECKING:
    from pathlib import Path

INSTALL = "pip install -r requirements.txt"
APT = "RUN apt-get update && apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*\n"


def _is_safe(
    directory: Path,
    run: str = INSTALL,
    *,
    above: str = "",
    base: str = "python:3.12",
    listed: str = "idna==3.7",
) -> bool:
    requirements = directory / "requirements.txt"
    if not requirements.is_symlink():
        requirements.write_text(f"{listed}\n", encoding="utf-8")
    text = f"FROM {base}\n{above}WORKDIR /app\nCOPY . .\nRUN {run}\n"
    read = parse(text, "Dockerfile")
    context = measure(read.recipe(), directory, context=directory, dockerfile=directory / "Dockerfile")
    return any(
        each.fix is not None and each.fix.applicability is Applicability.SAFE
        for each in lint(read, context=context)
        if each.rule == "sources-before-dependencies"
    )


@pytest.mark.parametrize("above", ["", APT, "ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1\n"])
def test_a_bare_installation_by_names_is_proven(tmp_path: Path, above: str) -> None:
    assert _is_safe(tmp_path, above=above)


@pytest.mark.parametrize(
    "run",
    [
        f"if [ -f main.py ]; then {INSTALL}; fi",
        f"for each in *; do {INSTALL}; done",
        f"! {INSTALL}",
        f"PIP_CONSTRAINT=constraints.txt {INSTALL}",
        f"env PIP_CONSTRAINT=constraints.txt {INSTALL}",
        f"{INSTALL} --find-links /srv/../app",
        f"{INSTALL} --find-links //app",
        f"{INSTALL} --find-links /proc/self/cwd",
        f"{INSTALL} --index-url /",
        f"--mount=type=secret,id=a,target=/etc/pip.conf {INSTALL}",
        f"--mount=type=secret,id=a,target=/app/requirements.txt {INSTALL}",
        f"--mount=type=secret,id=a,env=PIP_CONSTRAINT {INSTALL}",
        f"--mount=type=cache,target=/app {INSTALL}",
    ],
)
def test_a_command_that_may_read_more_is_not_proven(tmp_path: Path, run: str) -> None:
    assert not _is_safe(tmp_path, run)


@pytest.mark.parametrize(
    "listed", ["pennant-1-py3-none-any.whl", "thing.tar.gz", "idna.zip", "idna.zip ; python_version > '3'"]
)
def test_a_list_that_names_an_archive_is_not_proven(tmp_path: Path, listed: str) -> None:
    assert not _is_safe(tmp_path, listed=listed)


@pytest.mark.parametrize(
    "above",
    [
        "RUN pip config set global.constraint constraints.txt\n",
        "RUN echo '[global]' > /etc/pip.conf\n",
        "WORKDIR /app\nRUN ln -s $PWD /wheels\n",
        *(
            f"ENV {name}={value}\n"
            for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NETRC", "CC", "CFLAGS", "TMPDIR")
            for value in ("here", "/app/here")
        ),
    ],
)
def test_what_was_set_up_before_is_no_proof(tmp_path: Path, above: str) -> None:
    assert not _is_safe(tmp_path, above=above)


@pytest.mark.parametrize(
    "base", ["python:3.12-windowsservercore", "python:3.12-nanoserver", "python:2", "python:2.7-slim"]
)
def test_an_image_with_another_pip_is_no_proof(tmp_path: Path, base: str) -> None:
    assert not _is_safe(tmp_path, base=base)


def test_a_manifest_that_is_a_link_is_no_proof(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("idna==3.7\n", encoding="utf-8")
    context = tmp_path / "context"
    context.mkdir()
    (context / "requirements.txt").symlink_to(tmp_path / "outside.txt")
    assert not _is_safe(context)


def test_the_command_line_makes_the_move_that_is_proven(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("idna==3.7\n", encoding="utf-8")
    (tmp_path / "compose.yaml").write_text("services:\n  app:\n    build: .\n", encoding="utf-8")
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(f"FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN {INSTALL}\n", encoding="utf-8")
    main(
        ["-C", str(tmp_path), "lint", "--fix"],
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        environ=dict(os.environ),
    )
    text = dockerfile.read_text(encoding="utf-8")
    assert text.index("RUN pip install") < text.index("COPY . .")
