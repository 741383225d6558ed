"""The history of an image beside the Dockerfile that it was built from: which instruction made which layer.

Every builder writes history in its own words, and none has to write any. An entry is matched to an instruction by its
text; what is not matched and lies below everything that is came with the base image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._secrets.text import redacted
from hullmark.model.attribution import Origin, Told
from hullmark.model.dockerfile import ImageBase
from hullmark.model.location import layer_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullmark.model.dockerfile import Instruction, Stage
    from hullmark.model.image import HistoryEntry, Image

_KEYWORDS = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
_STARTS = re.compile(rf"({'|'.join(_KEYWORDS)})(?:\s+|$)")
_BUILDKIT = re.compile(r"\s*# buildkit\s*$")
_NO_OPERATION = re.compile(r"^(?:/bin/sh -c|cmd /S /C|powershell -Command)\s+#\(nop\)\s*")
_SHELL_NAME = r"(?:/[\w./-]*)?(?:ba|da|a|k|z)?sh(?:\s+-o\s+\w+|\s+-\w+)*?\s+-\w*c"
_SHELL = re.compile(rf"^{_SHELL_NAME}\s+")
_ARGUMENTS = re.compile(r"^\|(\d{1,4})\s+")
_NAMED = re.compile(r"[A-Za-z_][\w.-]*=")
# Values of build arguments may hold spaces, and nothing tells where they end but the next name or the shell.
_VALUE_ENDS = re.compile(rf"\s(?={_NAMED.pattern}|{_SHELL_NAME}\s)")
_MAKE_LAYERS = frozenset({"ADD", "COPY", "RUN"})
_WORD = re.compile(r"[\w./@:+-]+")
_SIMILAR = 0.5
"""Share of words that a RUN and an entry must have in common when their texts are not the same."""
_EXACT = 100
_SKIPPED_STEP = -30
_SKIPPED_ENTRY = -2
_LONGEST = 1 << 16
"""Characters of an entry or an instruction that are compared."""
_MOST = 1 << 10
"""Entries that are compared, from the top; no builder allows an image as many layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What an entry of a history says, without the words of the builder that wrote it."""

    keyword: str
    """In upper case; empty when the entry does not tell."""
    text: str
    """What follows the keyword, white space collapsed, build arguments and shell left out."""

    def __str__(self) -> str:
        return f"{self.keyword} {self.text}".strip()


def created(created_by: str) -> Created:
    """What `created_by` says, as BuildKit, the engine's old builder, buildah and kaniko write it."""
    text = _BUILDKIT.sub("", created_by[:_LONGEST]).strip()
    nop = _NO_OPERATION.match(text)
    if nop:
        text = text[nop.end() :]
    keyword = _STARTS.match(text)
    if keyword:
        rest = text[keyword.end() :]
        if keyword[1] == "RUN":
            rest = _without_shell(rest)
        return Created(keyword=keyword[1], text=_collapsed(rest))
    if not text or nop:
        return Created(keyword="", text=_collapsed(text))
    bare = _without_shell(text)
    return Created(keyword="RUN" if bare != text else "", text=_collapsed(bare))


def _without_shell(text: str) -> str:
    """`text` without the build arguments and the shell in front of it."""
    arguments = _ARGUMENTS.match(text)
    if arguments:
        text = text[arguments.end() :]
        for _ in range(int(arguments[1])):
            if not _NAMED.match(text):
                break
            ends = _VALUE_ENDS.search(text) or re.search(r"\s", text)
            text = text[ends.end() :] if ends else ""
    return _SHELL.sub("", text, count=1)


def _collapsed(text: str) -> str:
    return " ".join(text[:_LONGEST].split())


def one_line(instruction: Instruction) -> str:
    """The instruction in one line, flags included."""
    flags = [
        f"--{flag.name}" if flag.value is None else f"--{flag.name}={flag.value}"
        for flag in instruction.flags
    ]
    text = _collapsed(" ".join([instruction.keyword, *flags, instruction.value]))
    document = next(
        (
            line.strip()
            for heredoc in instruction.heredocs
            for line in heredoc.content.splitlines()
            if line.strip()
        ),
        "",
    )
    return f"{text} {document}" if document else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What made one layer."""

    origin: Origin
    instruction: Instruction | None = None
    stage: Stage | None = None
    """The stage in which `instruction` stands."""


def steps(image: Image, stage: Stage | None) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """What made each layer of `image`, the image of `stage`, and what did not fit, in a sentence each."""
    entries, notes = _entries(image)
    lineage = [] if stage is None else [(each, one) for each in stage.lineage for one in each.instructions]
    pairs = _aligned([entry.history for entry in entries], [one for _, one in lineage])
    makes_layers = any(one.keyword in _MAKE_LAYERS for _, one in lineage)
    if pairs:
        bottom = entries[min(pairs)].layer
    else:
        bottom = 0 if makes_layers else len(image.layers)
        if makes_layers and image.layers and stage is not None:
            notes = (*notes, f"nothing in the history of {image.reference} fits the stage `{stage.label}`")
    made = {entry.layer: index for index, entry in enumerate(entries) if not entry.history.empty}
    found = []
    for layer in range(len(image.layers)):
        index = made.get(layer)
        said = Created(keyword="", text="") if index is None else created(entries[index].history.created_by)
        if index in pairs:
            found.append(_told(*lineage[pairs[index]]))
        elif stage is not None and isinstance(stage.root, ImageBase) and layer < bottom:
            found.append(Step(origin=_base(stage, stage.root, said)))
        elif str(said):
            found.append(
                Step(origin=Origin(told=Told.HISTORY, text=redacted(str(said)), keyword=said.keyword))
            )
        else:
            found.append(Step(origin=Origin(told=Told.LAYER, text=layer_name(layer))))
    return tuple(found), notes


def _told(stage: Stage, instruction: Instruction) -> Step:
    return Step(
        origin=Origin(
            told=Told.INSTRUCTION,
            text=redacted(one_line(instruction)),
            keyword=instruction.keyword,
            stage=stage.label,
            span=instruction.span,
        ),
        instruction=instruction,
        stage=stage,
    )


def _base(stage: Stage, root: ImageBase, step: Created) -> Origin:
    opening = stage.lineage[0].opening
    return Origin(
        told=Told.BASE,
        text=one_line(opening),
        keyword="FROM",
        stage=stage.lineage[0].label,
        span=opening.span,
        base=root.reference,
        source=Origin(told=Told.HISTORY, text=redacted(str(step)), keyword=step.keyword)
        if str(step)
        else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """An entry of the history, and how many layers lie below what it did: the index of the layer that it made."""

    history: HistoryEntry
    layer: int


def _entries(image: Image) -> tuple[list[_Placed], tuple[str, ...]]:
    """The entries of the history with the layer that each made, as far as the numbers of both fit."""
    full = sum(not entry.empty for entry in image.history)
    count = len(image.layers)
    if not image.history:
        return [], (f"{image.reference} has no history",) if count else ()
    notes: tuple[str, ...] = ()
    if full != count:
        notes = (f"{image.reference} has {count} layers, and its history lists {full} steps that made one",)
        if full > count:
            return [], notes
    # A base image without a history of its own lacks entries at the bottom, so layers are counted from the top.
    layer = count - full
    found = []
    for entry in image.history:
        found.append(_Placed(history=entry, layer=layer))
        layer += not entry.empty
    return found, notes


def _aligned(entries: Sequence[HistoryEntry], instructions: Sequence[Instruction]) -> dict[int, int]:
    """Which entry belongs to which instruction: the assignment in order that fits best, from the top down."""
    if not entries or not instructions:
        return {}
    first = max(0, len(entries) - _MOST)
    said = [_Said.of(created(entry.created_by)) for entry in entries[first:]]
    texts = [_Compared.of(instruction) for instruction in instructions]
    rows, columns = len(said), len(texts)
    # best[i][j]: the best score for the entries from i and the instructions from j on.
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    taken = [[0] * columns for _ in range(rows)]
    for column in range(columns - 1, -1, -1):
        best[rows][column] = best[rows][column + 1] + texts[column].skipped
    for row in range(rows - 1, -1, -1):
        best[row][columns] = best[row + 1][columns] + _SKIPPED_ENTRY
        for column in range(columns - 1, -1, -1):
            # What lies below the first instruction is the base image's, and costs nothing.
            below = 0 if column == 0 else _SKIPPED_ENTRY
            match = texts[column].score(said[row])
            choices = (
                (best[row + 1][column + 1] + match) if match else None,
                best[row + 1][column] + below,
                best[row][column + 1] + texts[column].skipped,
            )
            scores = [(score, -number) for number, score in enumerate(choices) if score is not None]
            best[row][column], number = max(scores)
            taken[row][column] = -number
    pairs = {}
    row = column = 0
    while row < rows and column < columns:
        match taken[row][column]:
            case 0:
                pairs[first + row] = column
                row, column = row + 1, column + 1
            case 1:
                row += 1
            case _:
                column += 1
    return pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """An entry as it is compared to instructions."""

    keyword: str
    text: str
    words: frozenset[str]

    @classmethod
    def of(cls, step: Created) -> _Said:
        return cls(keyword=step.keyword, text=step.text, words=frozenset(_WORD.findall(step.text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """An instruction as it is compared to entries."""

    keyword: str
    text: str
    words: frozenset[str]
    documents: tuple[str, ...]
    skipped: int
    """What it costs that no entry belongs to it."""

    @classmethod
    def of(cls, instruction: Instruction) -> _Compared:
        text = _collapsed(" ".join(instruction.json) if instruction.json is not None else instruction.value)
        words = " ".join(
            [text, *(word.text for word in instruction.words)]
            + [f"{pair.name}={pair.value or ''}" for pair in instruction.pairs]
        )
        documents = tuple(_collapsed(heredoc.content) for heredoc in instruction.heredocs)
        return cls(
            keyword=instruction.keyword,
            text=text,
            words=frozenset(_WORD.findall(words)),
            documents=tuple(document for document in documents if document),
            skipped=_SKIPPED_STEP if instruction.keyword in _MAKE_LAYERS else 0,
        )

    def score(self, entry: _Said) -> int:
        """How well `entry` fits; 0 when it does not."""
        if self.keyword != entry.keyword and not (not entry.keyword and self.keyword == "RUN"):
            return 0
        if self.text and f" {entry.text}".endswith(f" {self.text}"):
            return _EXACT
        if self.documents and all(document in entry.text for document in self.documents):
            return _EXACT
        common = len(entry.words & self.words) / max(1, min(len(entry.words), len(self.words)))
        if self.keyword == "RUN" and common < _SIMILAR:
            return 0
        return 1 + round((_EXACT - 2) * common) if entry.keyword else 0
