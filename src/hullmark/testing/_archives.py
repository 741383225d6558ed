"""Images as archives and layouts on disk: the same small image in every medium."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark.model.table import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hullmark.model.table import Entry

_TYPES = {
    Kind.FILE: tarfile.REGTYPE,
    Kind.DIRECTORY: tarfile.DIRTYPE,
    Kind.SYMLINK: tarfile.SYMTYPE,
    Kind.HARDLINK: tarfile.LNKTYPE,
    Kind.CHARACTER_DEVICE: tarfile.CHRTYPE,
    Kind.BLOCK_DEVICE: tarfile.BLKTYPE,
    Kind.FIFO: tarfile.FIFOTYPE,
    Kind.WHITEOUT: tarfile.REGTYPE,
    Kind.OPAQUE: tarfile.REGTYPE,
}
COMPRESSIONS = ("", "gzip", "zstd")
"""How the layers of a layout may be compressed; the first is not at all."""
_OCI = "application/vnd.oci.image"
_NAME = "org.opencontainers.image.ref.name"


def layer_tar(
    entries: Iterable[Entry],
    contents: Mapping[str, bytes] | None = None,
    *,
    tar_format: int = tarfile.PAX_FORMAT,
) -> bytes:
    """The tar of a layer with `entries`; files hold what `contents` says of their path, or else the letter `x`."""
    contents = contents or {}
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tar_format, errors="surrogateescape") as archive:
        for entry in entries:
            member = tarfile.TarInfo(_tar_name(entry))
            member.type = _TYPES[entry.kind]
            member.mode, member.uid, member.gid, member.mtime = entry.mode, entry.uid, entry.gid, entry.mtime
            member.linkname = entry.link.removeprefix("/") if entry.kind is Kind.HARDLINK else entry.link
            member.pax_headers = {
                f"SCHILY.xattr.{key}": value.decode("utf-8", "surrogateescape") for key, value in entry.xattrs
            }
            content = b""
            if entry.kind is Kind.FILE:
                content = contents.get(entry.path, b"x" * entry.size)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def _tar_name(entry: Entry) -> str:
    path = entry.path.removeprefix("/")
    parent, slash, name = path.rpartition("/")
    match entry.kind:
        case Kind.WHITEOUT:
            return f"{parent}{slash}.wh.{name}"
        case Kind.OPAQUE:
            return f"{path}/.wh..wh..opq".removeprefix("/")
        case Kind.DIRECTORY:
            return f"{path}/" if path else "./"
        case _:
            return path


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFiles:
    """An image as the files that every medium holds in its own way."""

    layers: tuple[bytes, ...]
    """Plain tars, from the bottom up."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The `config` object of the configuration."""
    history: tuple[Mapping[str, Any], ...] | None = None
    platform: str = "linux/amd64"

    @property
    def config(self) -> bytes:
        """The configuration."""
        os, _, rest = self.platform.partition("/")
        architecture, _, variant = rest.partition("/")
        said: dict[str, Any] = {
            "architecture": architecture,
            "os": os,
            "config": dict(self.settings),
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in self.layers]},
        }
        if variant:
            said["variant"] = variant
        if self.history is not None:
            said["history"] = [dict(each) for each in self.history]
        return json.dumps(said, sort_keys=True).encode()


def compress(content: bytes, compression: str) -> bytes:
    """`content` compressed by one of `COMPRESSIONS`."""
    match compression:
        case "gzip":
            return gzip.compress(content, compresslevel=6, mtime=0)
        case "zstd":
            return bytes(_zstandard().compress(content))
        case _:
            return content


def oci_files(
    images: Mapping[str, ImageFiles | Sequence[ImageFiles]], *, compression: str = "gzip"
) -> dict[str, bytes]:
    """The files of an OCI layout with `images` by tag, several for several platforms; an empty tag is none."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    listed = []
    for tag, image in images.items():
        if isinstance(image, ImageFiles):
            descriptor = _add_manifest(files, image, compression)
        else:
            inner = [
                _add_manifest(files, each, compression) | {"platform": _platform(each.platform)}
                for each in image
            ]
            index = {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": inner}
            descriptor = _add(files, json.dumps(index).encode(), f"{_OCI}.index.v1+json")
        if tag:
            descriptor = descriptor | {"annotations": {_NAME: tag}}
        listed.append(descriptor)
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": listed}).encode()
    return files


def docker_files(images: Mapping[str, ImageFiles], *, legacy: bool = False) -> dict[str, bytes]:
    """The files of an engine's archive with `images` by tag, as engines from 25 on write them, or as older ones did."""
    files: dict[str, bytes] = {}
    saved = []
    for tag, image in images.items():
        config_digest = _digest(image.config).removeprefix("sha256:")
        paths = []
        for layer in image.layers:
            digits = _digest(layer).removeprefix("sha256:")
            paths.append(f"{digits[:40]}/layer.tar" if legacy else f"blobs/sha256/{digits}")
            files[paths[-1]] = layer
        config = f"{config_digest}.json" if legacy else f"blobs/sha256/{config_digest}"
        files[config] = image.config
        saved.append({"Config": config, "RepoTags": [tag] if tag else None, "Layers": paths})
    files["manifest.json"] = json.dumps(saved).encode()
    return files


def archive_of(files: Mapping[str, bytes], *, compression: str = "") -> bytes:
    """A tar of `files`, compressed as a whole if asked."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return compress(target.getvalue(), compression)


def write_files(directory: Path, files: Mapping[str, bytes]) -> Path:
    """`files` in `directory`, which is made."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def _add(files: dict[str, bytes], content: bytes, media_type: str) -> dict[str, Any]:
    digest = _digest(content)
    files[f"blobs/sha256/{digest.removeprefix('sha256:')}"] = content
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _add_manifest(files: dict[str, bytes], image: ImageFiles, compression: str) -> dict[str, Any]:
    suffix = f"+{compression}" if compression else ""
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _add(files, image.config, f"{_OCI}.config.v1+json"),
        "layers": [
            _add(files, compress(layer, compression), f"{_OCI}.layer.v1.tar{suffix}")
            for layer in image.layers
        ],
    }
    return _add(files, json.dumps(manifest).encode(), f"{_OCI}.manifest.v1+json")


def _platform(text: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _zstandard() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    return zstd
