"""Where behind a squash something can be declared again, and in which words it means there what it meant."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._secrets.names import is_named_like_secret
from hullmark._secrets.variables import secret_in
from hullmark.rules._variables import VARIABLE, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark.model.dockerfile import Instruction, Lost, Pair, Recipe, Stage

_PLAIN = re.compile(r"[\w./:@%+,=$(){}-]*")
_FILES = frozenset({"ADD", "COPY", "RUN", "WORKDIR"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LostPair:
    """One `name=value` that a squash dropped."""

    lost: Lost
    pair: Pair


class Place:
    """Where in the squashed stage something can be declared again, and what can be said there."""

    def __init__(self, recipe: Recipe, lost: Lost, above: Instruction | None = None) -> None:
        self.recipe = recipe
        self.lost = lost
        self.stage = recipe.final.lineage[0]
        """The stage that squashes."""
        self.after = lost.copy
        """The instruction below which it is declared: behind everything that makes files or sets variables."""
        self._before: list[Instruction] = []
        following = False
        for position, instruction in enumerate(self.stage.instructions):
            if instruction is above:
                break
            following = following or instruction is lost.copy
            if following and instruction.keyword in _FILES | {"ARG", "ENV"}:
                self.after = instruction
                self._before = list(self.stage.instructions[: position + 1])
        self.sure = not any(
            instruction.keyword in _FILES
            for stage in recipe.final.lineage[1:]
            for instruction in stage.instructions
        )
        """Whether what is declared there means what it meant; cleared when it is not known."""

    def arguments(self, names: Iterable[str], stage: Stage) -> list[str]:
        """The ARG lines that make the arguments `names` of `stage` known at the place, in the order they have there."""
        present = {pair.name for pair in self._declared}
        found: dict[str, Pair] = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            last = stage.pair("ARG", name)
            if last is None or name in present:
                continue
            present.add(name)
            found[name] = last[1]
            pending += variables_of(last[1].raw or "")
        order = [pair.name for _, pair in _arguments(stage) if found.get(pair.name) is pair]
        return [
            f"ARG {name}" if found[name].raw is None else f"ARG {name}={found[name].raw}" for name in order
        ]

    @property
    def _declared(self) -> list[Pair]:
        """The arguments that are declared at the place."""
        return [
            pair for instruction in self._before if instruction.keyword == "ARG" for pair in instruction.pairs
        ]

    def _covers(self, name: str) -> bool:
        """Whether an ENV variable at the place hides the argument `name`, and is not that argument itself."""
        raws = [
            (pair.raw or "").strip('"')
            for instruction in self._before
            if instruction.keyword == "ENV"
            for pair in instruction.pairs
            if pair.name == name
        ]
        return any(raw not in {f"${name}", f"${{{name}}}"} for raw in raws)

    def _keeps(
        self, name: str, stage: Stage, before: Instruction, seen: frozenset[str] = frozenset()
    ) -> bool:
        """Whether the argument `name`, declared at the place as last in `stage`, has the value it has at `before`."""
        found = [(above, pair) for above, pair in _arguments(stage, before) if pair.name == name]
        raws = {pair.raw for _, pair in found}
        if not found or len(raws) > 1 or not all(above for above, _ in found) or self._covers(name):
            return False
        (raw,) = raws
        if any(pair.raw != raw for pair in self._declared if pair.name == name):
            return False
        taken = variables_of(raw or "")
        if len(found) > 1 and taken:
            return False  # what its default takes may have changed in between
        first = next(each for each in stage.history if found[0][1] in each.pairs)
        set_before = _environment(stage, first)
        return name not in seen and all(
            other not in set_before and self._keeps(other, stage, first, seen | {name}) for other in taken
        )

    def text(
        self, written: str, stage: Stage, before: Instruction, known: Iterable[str] = ()
    ) -> tuple[str, list[str]] | None:
        """`written` at `before` in `stage`, so that it means the same here; and the arguments that it needs.

        ENV variables that are not known here (those in `known` are) are replaced by their value. `None` when that
        cannot be done; `sure` is cleared when a variable comes from the base image, or has another value here.
        """
        known = set(known)
        there = _environment(stage, before)
        needed: list[str] = []
        failed = False

        def replaced(match: re.Match[str]) -> str:
            nonlocal failed
            name = match[1] or match[2] or match[3]
            if name in known:
                return match[0]
            if is_named_like_secret(name):
                failed = True  # what it holds is written into no image
                return match[0]
            if match[3] is not None and "$" in match[0][1:]:
                self.sure = False
            if name in there:
                # As it was written, so that what the build passes in does not become part of the file.
                made = self.text(_unquoted(there[name][1]), stage, there[name][0])
                failed = failed or match[3] is not None or made is None or not _PLAIN.fullmatch(made[0])
                if made is None:
                    return match[0]
                needed.extend(made[1])
                return made[0]
            if stage.pair("ARG", name) is not None:
                needed.append(name)
                self.sure = self.sure and self._keeps(name, stage, before)
            else:
                self.sure = False
            return match[0]

        text = VARIABLE.sub(replaced, written)
        if text != written and "'" in written:
            self.sure = False  # what stands in single quotes is not replaced
        return None if failed else (text, needed)

    def pairs(self, keyword: str, losses: Iterable[LostPair]) -> list[str] | None:
        """The lines that set the values of `losses` again.

        A value that would become another one here is written as it is, where nothing from outside is part of it.
        """
        needed: list[str] = []
        groups: list[list[str]] = []
        setters: dict[str, Instruction] = {}
        fresh: set[str] = set()
        last: Stage | None = None
        sure = self.sure
        for each in losses:
            stage, instruction, pair = each.lost.stage, each.lost.instruction, each.pair
            moved = last is not None and stage is not last
            last = stage
            # All of one ENV see what was before it.
            known = {name for name, setter in setters.items() if setter is not instruction}
            known = known - {pair.name} if _set_once(stage, setters) else set()
            self.sure = True
            made = self.text(_quoted(instruction, pair), stage, instruction, known)
            read = set() if made is None else set(variables_of(made[0]))
            parted = bool(fresh & read & known)
            behind = set(setters) if parted else set(setters) - fresh
            faithful = (
                made is not None and self.sure and not (moved and made[1]) and not (read - known) & behind
            )
            if not faithful and (literal := _literal(each, self.recipe.dockerfile.escape)) is not None:
                made, faithful, parted = (literal, []), True, False
            if made is None:
                self.sure = False
                return None
            sure = sure and faithful
            text, arguments = made
            needed += arguments
            if not groups or parted:
                groups.append([])
                fresh = set()
            name = pair.name if re.fullmatch(r"[\w.-]+", pair.name) else f'"{pair.name}"'
            groups[-1].append(f"{name}={text}")
            if keyword == "ENV":
                setters[pair.name] = instruction
                fresh.add(pair.name)
        self.sure = sure
        if last is None:
            return None
        joint = f" {self.recipe.dockerfile.escape}\n{' ' * (len(keyword) + 1)}"
        return [
            *self.arguments(dict.fromkeys(needed), last),
            *(f"{keyword} {joint.join(group)}" for group in groups),
        ]

    @property
    def as_written(self) -> list[str]:
        """The lost instruction as it stands in the file, for those that hold no variables of the build."""
        return [self.recipe.dockerfile.excerpt(self.lost.instruction.span)]

    def whole(self) -> list[str] | None:
        """The lines that declare the lost instruction again as it is, its variables included."""
        made = self.text(self.as_written[0], self.lost.stage, self.lost.instruction)
        if made is None:
            return None
        text, needed = made
        return [*self.arguments(dict.fromkeys(needed), self.lost.stage), text]

    def values(self, keyword: str, losses: Iterable[tuple[Lost, str]]) -> list[str] | None:
        """One line with all the values of `losses`, each a word of its instruction."""
        needed: list[str] = []
        texts: list[str] = []
        stage = self.lost.stage
        for lost, word in losses:
            made = self.text(word, lost.stage, lost.instruction)
            if made is None:
                return None
            stage = lost.stage
            texts.append(made[0])
            needed += made[1]
        return [*self.arguments(dict.fromkeys(needed), stage), f"{keyword} {words_of(texts)}"]


def words_of(texts: Iterable[str]) -> str:
    """`texts` as the words of an instruction: as a list in JSON where the space in one would part it."""
    texts = list(texts)
    return json.dumps(texts, ensure_ascii=False) if any(" " in text for text in texts) else " ".join(texts)


def _environment(stage: Stage, before: Instruction) -> dict[str, tuple[Instruction, Pair]]:
    """The ENV variables that are set above `before`, each with what sets it."""
    found: dict[str, tuple[Instruction, Pair]] = {}
    for instruction in stage.history:
        if instruction is before:
            break
        if instruction.keyword == "ENV":
            found.update({pair.name: (instruction, pair) for pair in instruction.pairs})
    return found


def _arguments(stage: Stage, before: Instruction | None = None) -> Iterator[tuple[bool, Pair]]:
    """The arguments that are declared in the history of `stage`, each with whether that is above `before`."""
    above = True
    for instruction in stage.history:
        above = above and instruction is not before
        if instruction.keyword == "ARG":
            yield from ((above, pair) for pair in instruction.pairs)


def _literal(loss: LostPair, escape: str) -> str | None:
    """The value of `loss` without variables; `None` where arguments or the base image have a part in it."""
    pending = [(loss.pair, loss.lost.instruction)]
    while pending:
        pair, before = pending.pop()
        there = _environment(loss.lost.stage, before)
        for name in variables_of(pair.raw or ""):
            if name not in there or is_named_like_secret(name):
                return None
            pending.append((there[name][1], there[name][0]))
        if pair.unresolved or pair.value is None or re.search(r"\$\{\w+[^\w}]", pair.raw or ""):
            return None
    value = loss.pair.value or ""
    if re.fullmatch(r"[\w./:@%+,=-]+", value):
        return value
    if "\n" in value or secret_in(loss.pair.name, value):
        return None
    return '"' + re.sub(rf'(["$]|{re.escape(escape)})', lambda match: escape + match[0], value) + '"'


def _unquoted(pair: Pair) -> str:
    """The value as written, without quotes; known values have theirs resolved."""
    raw = pair.raw or ""
    if not variables_of(raw):
        return pair.value or ""
    inner = raw[1:-1] if len(raw) > 1 and raw[0] == raw[-1] == '"' else raw
    return raw if '"' in inner or "'" in inner else inner


def _set_once(stage: Stage, names: Iterable[str]) -> bool:
    set_ = [
        pair.name
        for instruction in stage.history
        if instruction.keyword == "ENV"
        for pair in instruction.pairs
    ]
    return all(set_.count(name) == 1 for name in names)


def _quoted(instruction: Instruction, pair: Pair) -> str:
    """The value as it can stand behind `name=`; that of the form `ENV name value` needs quotes."""
    raw = pair.raw or '""'
    legacy = len(instruction.pairs) == 1 and "=" not in instruction.value.split()[0]
    if not legacy or not re.search(r"\s", raw) or raw[:1] in "\"'":
        return raw
    escaped = raw.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
