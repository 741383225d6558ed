"""What several workflows of GitHub have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.actions import pinned
from hullmark._ci.templates import first_line

if TYPE_CHECKING:
    from hullmark._ci.templates import Pipeline

OWN = "ghcr.io"
"""The registry of GitHub, which its token is for."""


def head(pipeline: Pipeline) -> str:
    """The first line, by which a file is known."""
    return first_line("github", pipeline)


def set_up(pipeline: Pipeline) -> str:
    """The steps that install hullmark."""
    return f"""\
      - uses: {pinned("actions/setup-python")}
        with:
          python-version: "3.13"
      - name: Install hullmark
        run: python -m pip install --disable-pip-version-check "hullmark=={pipeline.version}"
        working-directory: ${{{{ runner.temp }}}}
"""


def check_out() -> str:
    """The step that checks the repository out, with its history."""
    return f"""\
      - uses: {pinned("actions/checkout")}
        with:
          fetch-depth: 0
          persist-credentials: false
"""


def cache(pipeline: Pipeline, name: str) -> str:
    """The step that brings and keeps the cache called `name`."""
    return f"""\
      - uses: {pinned("actions/cache")}
        with:
          path: ~/.cache/hullmark
          key: hullmark{pipeline.suffix}-${{{{ runner.os }}}}-{name}-${{{{ github.sha }}}}
          restore-keys: hullmark{pipeline.suffix}-${{{{ runner.os }}}}-{name}-
"""


def login(registry: str) -> str:
    """The step that logs in to `registry`."""
    user = "github.actor" if registry == OWN else "secrets.REGISTRY_USERNAME"
    password = "github.token" if registry == OWN else "secrets.REGISTRY_PASSWORD"
    return f"""\
      - name: Log in to the registry
        run: printf '%s' "$PASSWORD" | docker login --username "$USERNAME" --password-stdin {registry}
        env:
          USERNAME: ${{{{ {user} }}}}
          PASSWORD: ${{{{ {password} }}}}
"""
