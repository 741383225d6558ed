"""How a baseline gets from the runs of a branch on GitHub to those of pull requests that go there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.actions import pinned
from hullmark._ci.github_steps import OWN, cache, check_out, head, login, set_up
from hullmark._ci.templates import quoted
from hullmark._root import name_below
from hullmark.model.baseline import ARTIFACT_FILE, artifact_of

if TYPE_CHECKING:
    from hullmark._ci.keeping import Keeping
    from hullmark._ci.templates import Pipeline

_NAME = "Baseline of container images"
_BUILDING = 30
"""Minutes that are allowed besides, because all images are built one after the other."""


def baseline(pipeline: Pipeline, keeping: Keeping) -> str:
    """The text of the workflow of a branch: it checks everything, and keeps what there is."""
    branches = ", ".join(quoted(each) for each in keeping.branches)
    rights = "      packages: write # the baseline\n" if keeping.registry == OWN else ""
    return f"""\
{head(pipeline)}name: {_NAME}{pipeline.of}

on:
  push:
    branches: [{branches}]

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  cancel-in-progress: true

defaults:
  run:
    shell: bash
    working-directory: {quoted(pipeline.below or ".")}

jobs:
  baseline:
    name: Keep what there is
    runs-on: ubuntu-latest
    timeout-minutes: {pipeline.minutes + _BUILDING}
    permissions:
      contents: read
{rights}\
    steps:
{check_out()}{set_up(pipeline)}{cache(pipeline, "baseline")}\
      - name: Fetch the records of known vulnerabilities
        # Without them the baseline tells nothing of vulnerabilities, and of everything else what it should.
        continue-on-error: true
        timeout-minutes: 10
        run: hullmark db update
      - name: Check everything, whatever is found
        run: hullmark baseline save --partial "$RUNNER_TEMP/{ARTIFACT_FILE}"
{_keep(pipeline, keeping)}"""


def _keep(pipeline: Pipeline, keeping: Keeping) -> str:
    if keeping.reference is None or keeping.registry is None:
        return f"""\
      - uses: {pinned("actions/upload-artifact")}
        with:
          name: {artifact_of(name_below(pipeline.below))}
          path: ${{{{ runner.temp }}}}/{ARTIFACT_FILE}
          if-no-files-found: error
          overwrite: true
          retention-days: 90
"""
    return f"""\
{login(keeping.registry)}\
      - name: Keep it in the registry
        run: hullmark baseline save "$BASELINE" --report "$RUNNER_TEMP/{ARTIFACT_FILE}"
        env:
          BASELINE: {quoted(keeping.reference)}
"""


def rights(keeping: Keeping | None) -> str:
    """What the job that checks a pull request may do besides."""
    if keeping is None:
        return ""
    if keeping.reference is None:
        return "      actions: read # the baseline that a run of the branch has kept\n"
    return "      packages: read # the baseline\n" if keeping.registry == OWN else ""


def take(keeping: Keeping | None) -> str:
    """The step that takes the baseline, before any code of the pull request runs; only this one has a token."""
    if keeping is None:
        return ""
    if keeping.reference is None or keeping.registry is None:
        return f"""\
      - name: Take the baseline of the branch that it goes to
        run: hullmark baseline fetch "github:$BRANCH" "$RUNNER_TEMP/{ARTIFACT_FILE}"
        env:
          BRANCH: ${{{{ github.event.pull_request.base.ref || github.event.merge_group.base_ref }}}}
          GITHUB_TOKEN: ${{{{ github.token }}}}
"""
    own = keeping.registry == OWN
    leave = (
        f"""\
      - name: Log out of the registry
        if: ${{{{ always() }}}}
        run: docker logout {keeping.registry}
"""
        if own
        else ""
    )
    return f"""\
{login(keeping.registry) if own else ""}\
      - name: Take the baseline
        run: hullmark baseline fetch "$BASELINE" "$RUNNER_TEMP/{ARTIFACT_FILE}"
        env:
          BASELINE: {quoted(keeping.reference)}
{leave}"""


def compared(keeping: Keeping | None) -> str:
    """What tells the step that checks of the baseline."""
    if keeping is None:
        return ""
    return f"""\
        env:
          HULLMARK_BASELINE: ${{{{ runner.temp }}}}/{ARTIFACT_FILE}
"""
