"""Whether the profiles that are to be enabled are ones that services have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.errors import ConfigurationError, Unavailable, nearest

if TYPE_CHECKING:
    from hullmark._process import Commands
    from hullmark.model.project import Project

_ALL = "*"
"""What Compose takes for every profile there is."""


def check_profiles(project: Project, commands: Commands) -> None:
    """Raises `ConfigurationError` when the settings enable a profile that no service of `project` has.

    Compose itself enables what is not there without a word, and leaves the services asleep that were meant.
    """
    wanted = [name for name in dict.fromkeys(project.settings.profiles) if name != _ALL]
    if not wanted:
        return
    argv = ("docker", "compose", *project.compose_arguments, "config", "--profiles")
    completed = commands.run(argv, cwd=project.root, timeout=60)
    if completed.returncode != 0:
        raise Unavailable(
            "Compose does not say which profiles there are", hint="`docker compose config --profiles`"
        )
    known = sorted(completed.stdout.split())
    origin = dict(project.settings.origins).get("project.profiles", "hullmark.toml")
    problems = []
    for name in wanted:
        if name not in known:
            meant = nearest(name, known)
            question = f"; did you mean `{meant}`?" if meant else ""
            problems.append(
                f"{origin}: no service has the profile `{name}`{question} (profiles: {', '.join(known) or 'none'})"
            )
    if problems:
        raise ConfigurationError(problems)
