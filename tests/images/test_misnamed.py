"""What names no image is told as that, with what was given, what was expected and what was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullmark._images.misnamed import near
from hullmark._images.reference import candidates
from hullmark.errors import DamagedImage, HullmarkError, Unavailable, UsageError
from hullmark.testing import archive_of, compress, docker_files, oci_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.images.conftest import Opener, SmallImage

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def here(tmp_path: Path, small_image: SmallImage, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that is worked in, with the same image as an archive and as a directory."""
    files = docker_files({"app:1": small_image()})
    (tmp_path / "image.tar").write_bytes(archive_of(files))
    (tmp_path / "image.tgz").write_bytes(archive_of(files, compression="gzip"))
    (tmp_path / "program").write_bytes(b"\x7fELF" + bytes(600))
    write_files(tmp_path / "layout", oci_files({"app": small_image()}))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("./image.tar", "did you mean `docker-archive:./image.tar`"),
        ("image.tar", "did you mean `docker-archive:image.tar`"),
        ("image.tgz", "did you mean `docker-archive:image.tgz`"),
        ("image.tar:app:1", "did you mean `docker-archive:image.tar:app:1`"),
        ("layout/", "did you mean `oci-dir:layout/`"),
        ("./layout:app", "did you mean `oci-dir:./layout:app`"),
        ("./nothing.tar", "is a path, which names no image, and does not exist"),
        ("./program", "is a path, which names no image, and holds no image that can be read"),
        ("empty/", "is a path, which names no image, and holds no image that can be read"),
        ("foo:./image.tar", "there is no scheme `foo`; did you mean `docker-archive:./image.tar`"),
        ("foo:team/app", "there is no scheme `foo`$"),
        ("oci:./layout:app", "there is no scheme `oci`; did you mean `oci-dir:./layout:app`"),
        ("oci:layout", "there is no scheme `oci`; did you mean `oci-dir:layout`"),
        (
            "docker-archve:image.tar",
            "there is no scheme `docker-archve`; did you mean `docker-archive:image.tar`",
        ),
        ("docker-arhive:x:y", "there is no scheme `docker-arhive`; did you mean `docker-archive:x:y`"),
        ("foo:bar:baz", "`bar:baz` is no tag"),
        ("docker-daemon:team/app", "there is no scheme `docker-daemon`; did you mean `docker:team/app`"),
        ("https://example.com/app", "there is no scheme `https`; did you mean `registry:example.com/app`"),
        ("docker://debian", "no name begins with `//`; did you mean `docker:debian`"),
    ],
)
@pytest.mark.usefixtures("here")
def test_a_path_or_a_scheme_that_there_is_not_is_told_with_what_was_meant(given: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        candidates(given)
    assert f"`{given}`" in caught.value.message
    if given.startswith(("foo:", "docker-arhive:")):
        assert "oci-archive:PATH[:TAG]" in str(caught.value.hint)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("UPPER/Case", r"`Case` is no repository \(`case`\?\)"),
        ("Debian", r"`Debian` is no repository \(`debian`\?\)"),
        ("a::b", "`:b` is no tag"),
        ("a:", "a tag is missing behind the colon"),
        ("a:b c", "`b c` is no tag"),
        ("a@sha256:12", "`sha256:12` is not a digest; expected `sha256:` and 64"),
        ("a@", "is not a digest"),
        ("-", "is no repository"),
        ("example.com/App", "`App` is no repository"),
    ],
)
def test_a_malformed_name_is_told_with_what_is_wrong_in_it(given: str, said: str) -> None:
    for reference in (given, f"docker:{given}", f"podman:{given}", f"registry:{given}"):
        with pytest.raises(UsageError, match=said):
            candidates(reference)


@pytest.mark.parametrize(
    "name",
    [
        "debian",
        "program",
        "empty",
        "foo:bar",
        "team/app:1.0_x-y",
        f"app@{DIGEST}",
        f"app:1@{DIGEST}",
        DIGEST,
        DIGEST.removeprefix("sha256:"),
        "abcdef012345",
    ],
)
@pytest.mark.usefixtures("here")
def test_names_and_ids_are_looked_for_in_the_engine(name: str) -> None:
    assert candidates(name) == (("docker", name),)


def test_a_directory_that_is_called_like_an_image_is_asked_about_where_the_engine_does_not_have_it(
    here: Path, open_: Opener
) -> None:
    environ = {"DOCKER_HOST": f"unix://{here}/none.sock"}
    with pytest.raises(UsageError, match="did you mean `oci-dir:layout`"):
        open_("layout", environ=environ)
    with pytest.raises(Unavailable) as caught:
        open_("empty", environ=environ)
    assert "oci-archive:" not in str(caught.value.hint)


def test_a_file_that_is_no_archive_is_told_with_how_images_are_named(here: Path, open_: Opener) -> None:
    environ = {"DOCKER_HOST": f"unix://{here}/none.sock"}
    for name in ("program", "docker:program"):
        with pytest.raises(Unavailable, match="no Docker engine answers") as caught:
            open_(name, environ=environ)
        told = "`program` is a file, and no archive; an image is docker:NAME" in str(caught.value.hint)
        assert told is (name == "program")


def test_no_platform_is_no_matter_of_where_the_image_is(open_: Opener) -> None:
    with pytest.raises(UsageError, match="`foo` is no platform"):
        open_("docker:debian", platform="foo", environ={"DOCKER_HOST": "unix:///nonexistent.sock"})


def test_names_that_were_probably_meant_are_those_of_the_same_repository_and_those_alike() -> None:
    known = ["debian:bookworm-slim", "debian:trixie-slim", "app:1", "example.com/app:1", "tale-rag:latest"]
    assert near("debian", known) == ("debian:bookworm-slim", "debian:trixie-slim")
    assert near("tale-rga", known) == ("tale-rag:latest",)
    assert near("app", known)[0] == "app:1"
    assert near("nothing-like-it", known) == ()


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def test_an_archive_that_cannot_be_read_is_told_in_one_sentence_with_what_to_do(
    tmp_path: Path, open_: Opener, small_image: SmallImage
) -> None:
    whole = archive_of(docker_files({"app:1": small_image()}))
    missing = docker_files({"app:1": small_image()})
    del missing[next(name for name in missing if name.startswith("blobs/"))]
    several = docker_files({"app:1": small_image(), "app:2": small_image(marker="b")})
    nameless = docker_files({"app:1": small_image()}) | {"manifest.json": b"[]"}
    for content, kind, said, todo in (
        (b"", DamagedImage, "is no archive of images: it is empty; expected a tar", "docker save"),
        (b"hello, world", DamagedImage, "it begins with b'hello, world'; expected a tar", "docker save"),
        (b"BZh9" + bytes(999), DamagedImage, "it is compressed with bzip2; expected a tar", "docker save"),
        (
            compress(b"select" * 999, "gzip"),
            DamagedImage,
            "once it is decompressed, begins with b'sel",
            "docker save",
        ),
        (
            _cut(whole),
            DamagedImage,
            "is cut off: it ends after [0-9]+ bytes, in the middle of `/blobs/.*missing$",
            "copy",
        ),
        (_cut(compress(whole, "gzip")), DamagedImage, "its gzip data end too early", "copy it again"),
        (
            archive_of({"etc/passwd": b""}),
            Unavailable,
            "neither manifest.json nor index.json",
            "docker export",
        ),
        (
            archive_of(missing),
            DamagedImage,
            "does not hold `blobs/.*`, which its list of images names",
            "save it",
        ),
        (archive_of(several), UsageError, "holds 2 images; there is `app:1`, `app:2`", "image.tar:app:1"),
        (archive_of(nameless), Unavailable, "holds no images: manifest.json in it lists none", ""),
    ):
        (tmp_path / "image.tar").write_bytes(content)
        with pytest.raises(HullmarkError, match=f"{tmp_path}/image.tar.*{said}") as caught:
            open_(f"docker-archive:{tmp_path}/image.tar")
        assert type(caught.value) is kind
        assert todo in (caught.value.hint or "")
        assert "\n" not in caught.value.message


def test_what_is_read_by_another_scheme_is_told_with_it(
    tmp_path: Path, open_: Opener, small_image: SmallImage
) -> None:
    (tmp_path / "image.tar").write_bytes(archive_of(docker_files({"app:1": small_image()})))
    for reference, scheme in (
        (f"docker-archive:{tmp_path}", "`oci-dir:`"),
        (f"oci-archive:{tmp_path}/image.tar", "`docker-archive:`"),
        (f"oci-dir:{tmp_path}/image.tar", "`oci-archive:`"),
    ):
        with pytest.raises(Unavailable) as caught:
            open_(reference)
        assert scheme in (caught.value.hint or "")
    with pytest.raises(Unavailable, match=r"imag\.tar does not exist") as caught:
        open_(f"docker-archive:{tmp_path}/imag.tar")
    assert caught.value.hint == f"did you mean {tmp_path}/image.tar?"
