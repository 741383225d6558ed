"""`hullmark sbom` writes documents of images, the same every time, and says what documents of others list."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING

import pytest
from tests.sbom.conftest import BASE, MADE, OWN
from tests.sbom.test_documents import problems

from hullmark._cli import main
from hullmark.model.table import Entry, Kind
from hullmark.testing import ImageFiles, archive_of, docker_files, layer_tar

if TYPE_CHECKING:
    from pathlib import Path

EPOCH = str(int(MADE.timestamp()))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the archive of an image, `it.tar`, and one of an image with nothing in it, `empty.tar`."""
    directory = tmp_path_factory.mktemp("images")
    files = {
        path: each if isinstance(each, bytes) else str(each).encode() for path, each in (BASE | OWN).items()
    }
    entries = [Entry(path=path, kind=Kind.FILE, size=len(each), mode=0o755) for path, each in files.items()]
    full = ImageFiles(layers=(layer_tar(entries, files),), history=({"created_by": "COPY . / # buildkit"},))
    for name, image in (("it", full), ("empty", ImageFiles(layers=()))):
        (directory / f"{name}.tar").write_bytes(archive_of(docker_files({"it:1": image})))
    return directory


def call(directory: Path, *arguments: str, quiet: bool = True, epoch: str = "") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `hullmark sbom`."""
    stdout, stderr = io.StringIO(), io.StringIO()
    given = {"PATH": os.environ["PATH"], "HOME": "/", "HULLMARK_NO_CACHE": "1", "SOURCE_DATE_EPOCH": epoch}
    argv = ["-C", str(directory), *(["-q"] if quiet else []), "sbom", *arguments]
    code = main(argv, stdout=stdout, stderr=stderr, environ=given)
    return code, stdout.getvalue(), stderr.getvalue()


@pytest.mark.parametrize("name", ["cyclonedx", "spdx"])
def test_a_document_is_valid_and_the_same_every_time(name: str, images: Path) -> None:
    arguments = (f"docker-archive:{images}/it.tar", "--format", name)
    code, text, _ = call(images, *arguments, epoch=EPOCH)
    assert code == 0
    assert not problems(name, text)
    assert "2027-03-01T12:30:45" in text
    assert "COPY . /" in text
    assert call(images, *arguments, epoch=EPOCH) == (0, text, "")


def test_a_document_goes_to_a_file_and_is_told_of_from_there(images: Path, tmp_path: Path) -> None:
    image = f"docker-archive:{images}/it.tar"
    code, text, told = call(tmp_path, image, "--output", "out/it.json", quiet=False)
    assert (code, text) == (0, "")
    assert json.loads((tmp_path / "out" / "it.json").read_text("utf-8"))["bomFormat"] == "CycloneDX"
    code, read, _ = call(tmp_path, "--from", "out/it.json")
    assert code == 0
    assert read in told
    lines = read.splitlines()
    assert lines[0] == "Linux Mint 21.3"
    assert "  java          1" in lines
    assert "not recognised: /app/broken.jar: no archive, or damaged" in lines
    assert any(line.startswith("note: /var/lib/dpkg/status names") for line in lines)


def test_an_image_without_software_says_so(images: Path) -> None:
    code, text, told = call(images, f"docker-archive:{images}/empty.tar", quiet=False)
    assert code == 0
    assert not problems("cyclonedx", text)
    assert told.splitlines()[-2:] == ["an unknown distribution", "  no packages"]


@pytest.mark.parametrize(
    ("arguments", "epoch", "message"),
    [
        ((), "", "name an image or a service, or a document with `--from`"),
        (("x", "--from", "y"), "", "and not both"),
        (("--from", "y", "--output", "z"), "", "`--output` is for what is written of an image"),
        (("--from", "missing.json"), "", "missing.json cannot be read: no such file or directory"),
        (("--from", "."), "", ". cannot be read: is a directory"),
        (("--from", "it.tar"), "", "it.tar cannot be read as a list of software"),
        (("x",), "yesterday", "SOURCE_DATE_EPOCH is `yesterday`"),
        (("x",), "9" * 5000, "SOURCE_DATE_EPOCH is `999"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: tuple[str, ...], epoch: str, message: str, images: Path
) -> None:
    code, text, told = call(images, *arguments, epoch=epoch)
    assert (code, text) == (2, "")
    assert message in told
    assert "Traceback" not in told


def test_an_image_that_is_not_there_is_exit_3(images: Path) -> None:
    code, text, told = call(images, f"docker-archive:{images}/none.tar")
    assert (code, text) == (3, "")
    assert "none.tar" in told
