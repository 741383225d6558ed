"""From the bytes of a blob to the layer in it: told apart, decompressed, hashed on both sides and walked, in one pass."""

from __future__ import annotations

import contextlib
import hashlib
import queue
import re
import sys
import threading
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from hullmark._images.compression import Measured
from hullmark._images.interface import Walked
from hullmark._images.tar import TarWalk
from hullmark.errors import DamagedImage, Interrupted
from hullmark.model.digest import DiffId, Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._images.interface import Blob, Buffer, Limits, Request

PIECE = 1 << 18
"""Bytes that are decompressed at once."""
_SMALLEST = 1 << 12
_LARGEST_OUTPUT = 1 << 22
"""Bytes that one call may decompress to, so that a bomb fills no memory."""
_BEHIND = 8
"""Pieces that wait between the two stages of a pipeline."""
_GZIP = re.compile(rb"\x1f\x8b").match
# The second is a frame that is to be skipped, with which a seekable layer may begin.
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", re.DOTALL).match
_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x04\x22\x4d\x18": "lz4"}
_LONGEST_MAGIC = 5


class Sink(Protocol):
    """Takes the bytes of a tar."""

    def write(self, piece: Buffer, /) -> None:
        """The next bytes, valid during the call unless they are `bytes`."""
        ...


class LayerWalk:
    """The second half of the way: the tar of a layer, hashed and walked."""

    def __init__(self, request: Request, name: str) -> None:
        self.walk = TarWalk(request, name, offsets=request.scanner is not None)
        self._stream = None if request.scanner is None else request.scanner.begin(self.walk.content)
        self.hash = hashlib.sha256()
        self.measured: Measured | None = None
        """What finds out how large its blob becomes, where that is asked for."""

    def write(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        self.hash.update(piece)
        self.walk.feed(piece)
        if self.measured is not None:
            self.measured.write(piece)
        if self._stream is not None:
            self._stream.write(piece)

    def close(self) -> Walked:
        """The layer, once all bytes have come."""
        table, captured = self.walk.finish()
        return Walked(
            diff_id=DiffId.parse(f"sha256:{self.hash.hexdigest()}"),
            table=table,
            captured=captured,
            scanned=None if self._stream is None else self._stream.finish(),
        )


class Behind:
    """Does the work of `target` on a thread of its own, a few pieces behind."""

    def __init__(self, target: Sink) -> None:
        self._target = target
        self._queue: queue.Queue[bytes | None] = queue.Queue(_BEHIND)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="hullmark-layer", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (piece := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._target.write(piece)
                except BaseException as error:  # noqa: BLE001  # raised where the bytes come from
                    self._error = error

    def write(self, piece: Buffer) -> None:
        """Hands on the next bytes; raises what became of earlier ones."""
        self._queue.put(piece if isinstance(piece, bytes) else bytes(piece))
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Waits until all is done."""
        self._queue.put(None)
        self._thread.join()

    def check(self) -> None:
        """Raises what went wrong, after `close`."""
        if self._error is not None:
            raise self._error


class BlobReader:
    """The state between two pieces of one blob.

    Everything raises `DamagedImage`, naming the layer by `name`. With `pipeline` what is decompressed is hashed and
    walked on a thread of its own. Ends, however it ends, with `close`.
    """

    def __init__(self, request: Request, name: str, *, pipeline: bool = False) -> None:
        self._name = name
        self._layer = LayerWalk(request, name)
        self._limits = request.limits
        self._transfer = request.transfer
        self._head = b""
        self._decoder: _Decoder | None = None
        self._sniffed = False
        self._stored = hashlib.sha256()
        self._pipeline = pipeline
        self._behind: Behind | None = None
        self.size = 0
        """Bytes that have come."""

    def feed(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        self.size += len(piece)
        if not self._sniffed:
            self._head += bytes(piece)
            if len(self._head) < _LONGEST_MAGIC:
                return
            piece = self._head
            self._sniff()
        self._pass(piece)

    def _sniff(self) -> None:
        """Tells by the first bytes what the blob is: what its media type says need not be true."""
        self._sniffed = True
        for magic, name in _OTHERS.items():
            if self._head.startswith(magic):
                raise DamagedImage(f"{self._name} is compressed with {name}, which layers are not")
        if not _GZIP(self._head) and not _ZSTD(self._head):
            if self._transfer:
                self._layer.measured = Measured()
            return
        sink: Sink = self._layer
        if self._pipeline:
            sink = self._behind = Behind(self._layer)
        self._decoder = decoder_for(self._head, sink.write, self._limits, self._name)

    def _pass(self, piece: Buffer) -> None:
        if self._decoder is None:
            self._layer.write(piece)
            if self._layer.walk.position > self._limits.unpacked:
                raise DamagedImage(f"{self._name} has more than {self._limits.unpacked} bytes; refused")
            return
        self._stored.update(piece)
        self._decoder.write(piece)

    def finish(self) -> Walked:
        """The layer, once all bytes have come."""
        if not self._sniffed and self._head:
            self._sniff()
            self._pass(self._head)
        if self._decoder is not None:
            self._decoder.close()
        if self._behind is not None:
            behind, self._behind = self._behind, None
            behind.close()
            behind.check()
        walked = self._layer.close()
        stored = str(walked.diff_id) if self._decoder is None else f"sha256:{self._stored.hexdigest()}"
        estimated = None
        if self._transfer:
            measured = self._layer.measured
            estimated = self.size if measured is None else measured.finish()
            self.close()
        return replace(walked, digest=Digest.parse(stored), transfer=self.size, estimated=estimated)

    def close(self) -> None:
        """Ends the threads, if there are any."""
        if self._layer.measured is not None:
            self._layer.measured.close()
        if self._behind is not None:
            self._behind.close()
            self._behind = None


def read_blob(
    blob: Blob, request: Request, name: str, *, stopped: Callable[[], bool], pipeline: bool = False
) -> Walked:
    """The layer in `blob`, whose digest and size are what its manifest says.

    Raises `DamagedImage`, naming it by `name`, when it is not, and `Interrupted` soon after `stopped` says so.
    """
    reader = BlobReader(request, name, pipeline=pipeline)
    try:
        with blob.open() as pieces:
            for piece in pieces:
                if stopped():
                    raise Interrupted
                reader.feed(piece)
                if blob.transfer is not None and reader.size > blob.transfer:
                    raise DamagedImage(
                        f"{name} should have {blob.transfer} bytes by its manifest, and goes on after them"
                    )
        if blob.transfer is not None and reader.size < blob.transfer:
            raise DamagedImage(
                f"{name} should have {blob.transfer} bytes by its manifest, and ends after {reader.size}"
            )
        walked = reader.finish()
    finally:
        reader.close()
    if blob.digest is not None and walked.digest != blob.digest:
        raise DamagedImage(
            f"{name}: the manifest says {blob.digest}, and the {reader.size} bytes that were read have {walked.digest}"
        )
    return walked


class _Decoder:
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
            used = self._decompress(part)
            self._read += used
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
        if self._written > limits.unpacked or (
            self._written > limits.free and self._written > limits.ratio * max(self._read, 1)
        ):
            raise DamagedImage(
                f"{self._name} decompresses to more than {self._written} bytes from {self._read}; refused"
            )
        self._emit(data)

    def _failed(self, error: Exception) -> DamagedImage:
        return DamagedImage(f"{self._name}: its {self._what} data are damaged: {error}")

    def close(self) -> None:
        """Raises unless the last frame is complete."""
        if self._stream is not None:
            raise DamagedImage(f"{self._name}: its {self._what} data end too early")


class _Inflate(_Decoder):
    def _decompress(self, part: memoryview) -> int:
        stream, data = self._stream, part
        while True:
            # Counted before, because what it becomes is held against it.
            try:
                out = stream.decompress(data, _LARGEST_OUTPUT)
            except self._errors as error:
                raise self._failed(error) from error
            self._out(out)
            data = stream.unconsumed_tail
            if stream.eof or (not data and len(out) < _LARGEST_OUTPUT):
                return len(part) - len(stream.unused_data)


class _Zstandard(_Decoder):
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


def decoder_for(head: bytes, emit: Callable[[bytes], None], limits: Limits, name: str) -> _Decoder | None:
    """What decompresses a stream that begins with `head`, or `None` where that is not compressed."""
    if _GZIP(head):
        return _Inflate(_new_inflate(), emit, limits, name, "gzip")
    if _ZSTD(head):
        return _Zstandard(_new_zstandard(), emit, limits, name, "zstd")
    return None


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
