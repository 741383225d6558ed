"""Real images as values, read plainly from what `docker image save` writes; and what tests build for that."""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import secrets
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import xxhash

from hullmark.model.digest import DiffId, Digest
from hullmark.model.image import HistoryEntry, Image, ImageConfiguration, Layer
from hullmark.model.table import DIGEST_SIZE, Entry, FileTable, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hullmark.model.image import Capture

TALE = Path(__file__).resolve().parents[2] / "examples" / "tale"
_CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


class Docker(Protocol):
    """Calls `docker` and gives what it printed."""

    def __call__(self, *arguments: str, text: str | None = None, **environment: str) -> str: ...


class Build(Protocol):
    """Builds an image under a name that nobody else has, and removes it at the end; gives the name."""

    def __call__(
        self, dockerfile: str, *arguments: str, context: Path | None = None, **environment: str
    ) -> str: ...


class BuildService(Protocol):
    """Builds the image of a service of the reference stack, or of one of its stages; as `Build` otherwise."""

    def __call__(self, service: str, target: str | None = None) -> str: ...


class Open(Protocol):
    """An image of the engine as a value."""

    def __call__(self, reference: str, *captures: Capture) -> Image: ...


def run_docker(*arguments: str, text: str | None = None, **environment: str) -> str:
    """What `docker` printed; fails with all it said when it fails."""
    env = {**os.environ, **environment}
    if _CA_BUNDLE.exists():
        env.setdefault("SSL_CERT_FILE", str(_CA_BUNDLE))
    done = subprocess.run(
        ["docker", *arguments],
        input=text or "",
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(f"docker {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout


@pytest.fixture(scope="session")
def docker() -> Docker:
    """Calls `docker`."""
    return run_docker


@pytest.fixture
def built() -> Iterator[Callable[..., str]]:
    """Builds images with the given arguments of `docker image build`, all of which are removed at the end."""
    made: list[str] = []

    def build(*arguments: str, **environment: str) -> str:
        name = f"contents-test:{secrets.token_hex(6)}"
        run_docker("image", "build", "--quiet", "--tag", name, *arguments, **environment)
        made.append(name)
        return name

    try:
        yield build
    finally:
        if made:
            run_docker("image", "rm", "--force", *made)


@pytest.fixture
def build(built: Callable[..., str], tmp_path: Path) -> Build:
    """Builds from the text of a Dockerfile, with no files but those in `context`."""

    def build(dockerfile: str, *arguments: str, context: Path | None = None, **environment: str) -> str:
        directory = tmp_path / secrets.token_hex(4)
        directory.mkdir()
        file = directory / "Dockerfile"
        file.write_text(dockerfile, encoding="utf-8")
        return built("--file", str(file), *arguments, str(context or directory), **environment)

    return build


@pytest.fixture
def build_service(built: Callable[..., str]) -> BuildService:
    """Builds from the Dockerfiles of the reference stack."""

    def build(service: str, target: str | None = None) -> str:
        # Where TLS is intercepted, builds have to trust what this machine trusts.
        secret = ("--secret", f"id=ca,src={_CA_BUNDLE}") if _CA_BUNDLE.exists() else ()
        chosen = () if target is None else ("--target", target)
        file = TALE / "services" / service / "Dockerfile"
        return built("--file", str(file), *secret, *chosen, str(TALE))

    return build


@pytest.fixture(scope="session")
def tale() -> Path:
    """The directory of the reference stack."""
    return TALE


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Reads images of the engine."""

    def read(reference: str, *captures: Capture) -> Image:
        path = tmp_path / f"{secrets.token_hex(4)}.tar"
        run_docker("image", "save", "--output", str(path), reference)
        try:
            with tarfile.open(path) as archive:
                return _image(archive, reference, captures)
        finally:
            path.unlink()

    return read


def _image(archive: tarfile.TarFile, reference: str, captures: Sequence[Capture]) -> Image:
    [manifest] = json.loads(_member(archive, "manifest.json"))
    raw = _member(archive, manifest["Config"])
    config: dict[str, Any] = json.loads(raw)
    settings = config.get("config") or {}
    layers = []
    for name, diff_id in zip(manifest["Layers"], config["rootfs"]["diff_ids"], strict=True):
        content = archive.extractfile(archive.getmember(name))
        assert content is not None
        with tarfile.open(fileobj=content) as tar:
            table, captured = _table(tar, captures)
        layers.append(Layer(diff_id=DiffId.parse(diff_id), table=table, captured=captured))
    return Image(
        reference=reference,
        config_digest=Digest.parse(f"sha256:{hashlib.sha256(raw).hexdigest()}"),
        platform=f"{config['os']}/{config['architecture']}",
        configuration=ImageConfiguration(
            user=settings.get("User") or "",
            environment=tuple(
                (name, value)
                for name, _, value in (item.partition("=") for item in settings.get("Env") or ())
            ),
            working_directory=settings.get("WorkingDir") or "",
        ),
        history=tuple(
            HistoryEntry(
                created_by=item.get("created_by", ""),
                comment=item.get("comment", ""),
                empty=item.get("empty_layer", False),
            )
            for item in config.get("history") or ()
        ),
        layers=tuple(layers),
    )


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    content = archive.extractfile(name)
    assert content is not None
    return content.read()


_KINDS = {
    tarfile.DIRTYPE: Kind.DIRECTORY,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.LNKTYPE: Kind.HARDLINK,
    tarfile.CHRTYPE: Kind.CHARACTER_DEVICE,
    tarfile.BLKTYPE: Kind.BLOCK_DEVICE,
    tarfile.FIFOTYPE: Kind.FIFO,
}


def _table(tar: tarfile.TarFile, captures: Sequence[Capture]) -> tuple[FileTable, dict[str, bytes]]:
    entries, digests, captured = [], bytearray(), {}
    for member in tar:
        path = posixpath.normpath("/" + member.name)
        parent, name = posixpath.split(path)
        digest = bytes(DIGEST_SIZE)
        if name == ".wh..wh..opq":
            entries.append(Entry(path=parent, kind=Kind.OPAQUE))
        elif name.startswith(".wh."):
            entries.append(Entry(path=posixpath.join(parent, name[4:]), kind=Kind.WHITEOUT))
        else:
            kind = _KINDS.get(member.type, Kind.FILE)
            link = member.linkname
            entries.append(
                Entry(
                    path=path,
                    kind=kind,
                    size=member.size if kind is Kind.FILE else 0,
                    mode=member.mode,
                    uid=member.uid,
                    gid=member.gid,
                    mtime=int(member.mtime),
                    link=posixpath.normpath("/" + link) if kind is Kind.HARDLINK else link,
                )
            )
            if kind is Kind.FILE:
                content = tar.extractfile(member)
                assert content is not None
                data = content.read()
                digest = xxhash.xxh3_128_digest(data)
                for capture in captures:
                    if capture.wants(path, len(data), member.mode):
                        kept = capture.take(path, memoryview(data))
                        if kept is not None:
                            captured[path] = kept
        digests += digest
    return FileTable.of(entries, bytes(digests)), captured
