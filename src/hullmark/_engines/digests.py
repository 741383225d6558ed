"""The digests that images have in the registry they came from, as far as an engine here remembers them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark._process import Commands

_SECONDS = 20.0


def known_digests(references: Iterable[str], commands: Commands) -> dict[str, str]:
    """By reference, the digest under which the engine pulled the image of that name.

    Nothing for an image that is not there, was built here, or of which more than one digest is remembered; and nothing
    at all where no engine answers.
    """
    found: dict[str, str] = {}
    for reference in sorted(set(references)):
        argv = ("docker", "image", "inspect", "--format", "{{json .RepoDigests}}", "--", reference)
        try:
            completed = commands.run(argv, timeout=_SECONDS)
        except Unavailable:
            return found
        if completed.returncode != 0:
            continue
        try:
            digests = json.loads(completed.stdout) or []
        except ValueError:
            continue
        of_name = {
            digest
            for name, _, digest in (str(each).rpartition("@") for each in digests)
            if name.removeprefix("docker.io/").removeprefix("library/") == _repository(reference)
        }
        if len(of_name) == 1:
            found[reference] = of_name.pop()
    return found


def _repository(reference: str) -> str:
    """The name without tag and without what Docker leaves out."""
    path, slash, last = reference.rpartition("/")
    name = f"{path}{slash}{last.partition(':')[0]}"
    return name.removeprefix("docker.io/").removeprefix("library/")
