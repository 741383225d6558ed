"""hadolint, run as a process (it is GPL), with the findings of ShellCheck that come with it; its JSON is read strictly.

Its ids stay: they can be ignored, in `hullmark.toml` and in its own comments, and explained.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from hullmark._linters.known import page
from hullmark.errors import Unavailable
from hullmark.model.finding import Finding, Observation, Severity, fingerprint
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark._process import Commands

TIMEOUT = 120.0
"""Seconds for all files of a project."""
_UNREADABLE = "DL1000"
_SEVERITIES = {
    "error": Severity.ERROR,
    "warning": Severity.WARNING,
    "info": Severity.NOTE,
    "style": Severity.NOTE,
}


class _Reported(msgspec.Struct):
    code: str
    column: int
    file: str
    level: Literal["error", "warning", "info", "style"]
    line: int
    message: str


# Made once: msgspec crashes when several threads make the first decoder of a type at the same time.
_DECODER = msgspec.json.Decoder(list[_Reported])


@dataclass(frozen=True, slots=True, kw_only=True)
class NoHadolint:
    """hadolint is not there, or does not answer as itself."""

    reason: str
    """Why, and how to get it."""


class Hadolint:
    """The linter, found on PATH or beside the Python that runs this."""

    def __init__(self, commands: Commands, root: Path) -> None:
        self._commands = commands
        self._root = root

    def probe(self) -> str | NoHadolint:
        """The program to run; cheap."""
        for program in ("hadolint", str(Path(sys.executable).with_name("hadolint"))):
            try:
                completed = self._commands.run((program, "--version"), cwd=self._root, timeout=60)
            except Unavailable:
                continue
            if completed.returncode == 0 and "Haskell Dockerfile Linter" in completed.stdout:
                return program
            return NoHadolint(reason=f"`{program} --version` does not answer as hadolint does")
        return NoHadolint(reason="hadolint is not on PATH; `pip install 'hullmark[hadolint]'` brings it")

    def lint_texts(self, program: str, texts: Mapping[str, str]) -> dict[str, tuple[Finding, ...]]:
        """What it finds in each of `texts`, by the names that they have there; see `lint`."""
        if not texts:
            return {}
        with tempfile.TemporaryDirectory(prefix="hullmark-lint-") as directory:
            files = {name: str(Path(directory) / str(number)) for number, name in enumerate(texts)}
            for name, file in files.items():
                Path(file).write_text(texts[name], encoding="utf-8", errors="surrogateescape")
            found = self.lint(program, files.values())
        return {name: found[file] for name, file in files.items()}

    def lint(self, program: str, files: Iterable[str]) -> dict[str, tuple[Finding, ...]]:
        """What it finds in each of `files` (relative to the project's directory, or absolute), without a service.

        A configuration of its own (`.hadolint.yaml`) and comments (`# hadolint ignore=`) count. Raises `Unavailable`
        when it does not run, or says what cannot be understood.
        """
        files = tuple(dict.fromkeys(files))
        if not files:
            return {}
        completed = self._commands.run(
            (program, "--no-fail", "--format", "json", "--", *files), cwd=self._root, timeout=TIMEOUT
        ).check(hint="`hadolint FILE` on its own says more")
        try:
            reported = _DECODER.decode(completed.stdout.encode())
        except msgspec.DecodeError as error:
            raise Unavailable(
                f"hadolint's answer is not the JSON that was expected: {error}",
                hint='`lint.hadolint = "never"` does without it',
            ) from error
        found: dict[str, list[Finding]] = {file: [] for file in files}
        for each in reported:
            if each.file not in found:
                raise Unavailable(f"hadolint speaks of `{each.file}`, which it was not asked about")
            found[each.file].append(_finding(each))
        return {file: tuple(findings) for file, findings in found.items()}


def _finding(reported: _Reported) -> Finding:
    place = SourceSpan(path=reported.file, line=max(reported.line, 1), column=max(reported.column, 1))
    if reported.code == _UNREADABLE:
        # Its parser refuses some files that the builder takes; that is no mistake of the project.
        first = reported.message.splitlines()[0] if reported.message else "no reason given"
        severity, seen = (
            Severity.NOTE,
            f"hadolint cannot read the file, and its rules were not applied: {first}",
        )
        expected = "a file that hadolint can read"
        remedy = (
            "nothing has to be done: the file is valid; an empty line behind a heredoc helps older versions"
        )
    else:
        severity, seen = _SEVERITIES[reported.level], reported.message
        expected = f"what hadolint's {reported.code} asks for"
        remedy = f"see {page(reported.code)}"
    observation = Observation(location=place, seen=seen, expected=expected, remedy=remedy)
    return Finding(
        rule=reported.code,
        summary="hadolint cannot read the file" if reported.code == _UNREADABLE else "found by hadolint",
        severity=severity,
        service=None,
        location=place,
        seen=seen,
        expected=expected,
        remedy=remedy,
        fingerprint=fingerprint(reported.code, None, observation),
    )
