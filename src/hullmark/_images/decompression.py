"""What blobs are compressed with, told by their first bytes, and undone as they come, as far as is reasonable."""

from __future__ import annotations

import contextlib
import re
import sys
import zlib
from typing import TYPE_CHECKING, Any

from hullmark._images.interface import RATIO, UNPACKED, Refused
from hullmark.errors import DamagedImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._images.interface import Buffer, Limits

PIECE = 1 << 18
"""Bytes that are decompressed at once."""
LONGEST_MAGIC = 5
"""Bytes by which compressions are told apart."""
_SMALLEST = 1 << 12
_LARGEST_OUTPUT = 1 << 22
"""Bytes that one call may decompress to, so that a bomb fills no memory."""
_GZIP = re.compile(rb"\x1f\x8b").match
# The second is a frame that is to be skipped, with which a seekable layer may begin.
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL).match
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x04\x22\x4d\x18": "lz4"}


class Decoder:
    """Decompresses one stream of frames after another, and says when it becomes too much."""

    def __init__(
        self, new: Callable[[], Any], emit: Callable[[bytes], None], limits: Limits, name: str, what: str
    ) -> None:
        self._new = new
        self._emit = emit
        self._limits = limits
        self._name = name
        self._what = what
        self._errors = _errors()
        self._stream: Any = None
        self._step = PIECE
        self._read = self._written = 0

    def write(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        view = memoryview(piece)
        while view:
            if self._stream is None:
                view = self._between(view)
                if not view:
                    return
            part = view[: self._step]
            # Counted before, because what it becomes is held against it.
            self._read += len(part)
            used = self._decompress(part)
            self._read -= len(part) - used
            view = view[used:]
            if self._stream.eof:
                # What comes after a frame is handed back as a copy, so small frames are fed in small steps.
                self._step = min(max(4 * used, _SMALLEST), PIECE)
                self._stream = None
            else:
                self._step = min(self._step * 2, PIECE)

    def _between(self, view: memoryview) -> memoryview:
        """What is left of `view` when a new frame begins: the last one may be padded with zeros."""
        if self._read and view[0] == 0:
            view = memoryview(bytes(view).lstrip(b"\0"))
        if view:
            self._stream = self._new()
        return view

    def _decompress(self, part: memoryview) -> int:
        """Emits what `part` decompresses to; how many of its bytes belong to the frame."""
        raise NotImplementedError

    def _out(self, data: bytes) -> None:
        if not data:
            return
        self._written += len(data)
        limits = self._limits
        if self._written > limits.unpacked:
            raise too_large(self._name, limits)
        if self._written > limits.free and self._written > limits.ratio * max(self._read, 1):
            raise Refused(
                f"{self._name} decompresses to more than {limits.ratio:,} times its size: {self._read:,} bytes of it "
                f"to {self._written:,}; refused",
                hint=f"where that is meant, {RATIO} says how many times larger it may become",
            )
        self._emit(data)

    def _failed(self, error: Exception) -> DamagedImage:
        return DamagedImage(f"{self._name}: its {self._what} data are damaged: {error}")

    def close(self) -> None:
        """Raises unless the last frame is complete."""
        if self._stream is not None:
            raise DamagedImage(f"{self._name}: its {self._what} data end too early")


class _Inflate(Decoder):
    def _decompress(self, part: memoryview) -> int:
        stream, data = self._stream, part
        while True:
            try:
                out = stream.decompress(data, _LARGEST_OUTPUT)
            except self._errors as error:
                raise self._failed(error) from error
            self._out(out)
            data = stream.unconsumed_tail
            if stream.eof or (not data and len(out) < _LARGEST_OUTPUT):
                return len(part) - len(stream.unused_data)


class _Zstandard(Decoder):
    def _decompress(self, part: memoryview) -> int:
        stream, data = self._stream, part
        while True:
            try:
                out = stream.decompress(data, _LARGEST_OUTPUT)
            except self._errors as error:
                raise self._failed(error) from error
            self._out(out)
            data = memoryview(b"")
            if stream.eof or stream.needs_input:
                return len(part) - len(stream.unused_data if stream.eof else b"")


def too_large(name: str, limits: Limits) -> Refused:
    """What to say of a layer, or an archive, that goes on after as many bytes as any may have."""
    return Refused(
        f"{name} has more than {limits.unpacked:,} bytes unpacked; refused",
        hint=f"where that is meant, {UNPACKED} says how many it may have, such as `2 TB`",
    )


def decoder_for(head: bytes, emit: Callable[[bytes], None], limits: Limits, name: str) -> Decoder | None:
    """What decompresses a stream that begins with `head`, or `None` where that is not compressed."""
    if _GZIP(head):
        return _Inflate(_new_inflate(), emit, limits, name, "gzip")
    if _ZSTD(head):
        return _Zstandard(_new_zstandard(), emit, limits, name, "zstd")
    return None


def other_compression(head: bytes) -> str | None:
    """What a stream that begins with `head` is compressed with, where layers never are."""
    return next((name for magic, name in _OTHERS.items() if head.startswith(magic)), None)


def _new_inflate() -> Callable[[], Any]:
    """Twice as fast where Intel's library is there, which not every platform has."""
    try:
        from isal.isal_zlib import decompressobj  # noqa: PLC0415
    except ImportError:
        return lambda: zlib.decompressobj(31)
    return lambda: decompressobj(31)


def _zstandard() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    return zstd


def _new_zstandard() -> Callable[[], Any]:
    new: Callable[[], Any] = _zstandard().ZstdDecompressor
    return new


def _errors() -> tuple[type[Exception], ...]:
    """What the libraries raise for what they cannot read."""
    errors: list[Any] = [zlib.error, EOFError, _zstandard().ZstdError]
    with contextlib.suppress(ImportError):
        from isal.isal_zlib import error  # noqa: PLC0415

        errors.append(error)
    return tuple(errors)
