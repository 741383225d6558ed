"""Everything hullmark raises on purpose.

```
HullmarkError                 exit 3 unless a class says otherwise
├── UsageError                exit 2: the command line asks for something that does not exist
├── ConfigurationError        exit 2: Compose file, Dockerfile or hullmark.toml cannot be used
├── Unavailable               exit 3: an engine, program or registry that is needed is not there
├── CommandFailed             exit 3: a program ran and failed
├── DamagedImage              exit 3: an image could not be read or contradicts itself
└── Interrupted               exit 130: the user or the system asked to stop
```

Each error carries a message (what, where, what was expected) and a hint (what to do). Only the command line
turns an error into output and an exit code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class HullmarkError(Exception):
    """Anything that stops a command and is not a defect of hullmark."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        """What happened and where, in one or more lines."""
        self.hint = hint
        """What to do next, or `None` when the message already says it."""


class UsageError(HullmarkError):
    """The command line names something that does not exist or does not fit."""

    exit_code = 2


class ConfigurationError(HullmarkError):
    """A file that describes the project cannot be used; holds every problem that was found in it."""

    exit_code = 2

    def __init__(self, problems: Iterable[str], *, hint: str | None = None) -> None:
        self.problems = tuple(problems)
        """One line per problem, each starting with `file:line:column` where that is known."""
        super().__init__("\n".join(self.problems), hint=hint)

    @classmethod
    def joined(cls, errors: Sequence[ConfigurationError]) -> ConfigurationError:
        """All that `errors` hold as one, each file's problems in the order of its lines."""
        problems = list(dict.fromkeys(problem for error in errors for problem in error.problems))
        files = [_place(problem)[0] for problem in problems]
        hints = dict.fromkeys(error.hint for error in errors if error.hint)
        return ConfigurationError(
            sorted(problems, key=lambda problem: (files.index(_place(problem)[0]), *_place(problem)[1:])),
            hint="; ".join(hints) or None,
        )


def _place(problem: str) -> tuple[str, int, int]:
    """File, line and column that `problem` starts with; zeros where it does not say."""
    found = re.match(r"(.+?):(\d+):(\d+): ", problem)
    return (found[1], int(found[2]), int(found[3])) if found else (problem.partition(":")[0], 0, 0)


class Unavailable(HullmarkError):
    """An engine, program or registry that the command needs is missing, too old or does not answer."""


class CommandFailed(HullmarkError):
    """A program ended with a failure that its caller could not explain any better."""

    def __init__(self, argv: Sequence[str], returncode: int, output: str, *, hint: str | None = None) -> None:
        self.argv = tuple(argv)
        self.returncode = returncode
        self.output = output
        tail = "\n".join(f"  {line}" for line in output.strip().splitlines()[-20:])
        shown = " ".join(self.argv)
        message = f"`{shown}` failed with exit status {returncode}"
        super().__init__(f"{message}:\n{tail}" if tail else message, hint=hint)


class DamagedImage(HullmarkError):
    """An image contradicts its own digests, is truncated, or is no image at all."""


class Interrupted(HullmarkError):
    """The user or the system asked hullmark to stop; what was started has been removed."""

    exit_code = 130

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message)


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The one of `valid` that `name` was most likely meant to be, or `None`."""
    from difflib import get_close_matches  # noqa: PLC0415  # only needed on the way to an error

    found = get_close_matches(name, sorted(valid), n=1, cutoff=0.6)
    return found[0] if found else None
