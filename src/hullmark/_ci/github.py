"""The workflows of GitHub: one that checks a pull request, and one that says there what came of it.

They are two because a pull request from a fork gets no token that may write. The first one has the code of strangers
and may do nothing; the second one may write the comment and has none of their code, only the text of the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.actions import pinned
from hullmark._ci.templates import MARK, Template, quoted

if TYPE_CHECKING:
    from hullmark._ci.templates import Pipeline

BUILD = ".github/workflows/build.yml"
COMMENT = ".github/workflows/build-comment.yml"
_NAME = "Container images"


def templates(pipeline: Pipeline) -> tuple[Template, ...]:
    """Both workflows."""
    return (
        Template(path=BUILD, text=_build(pipeline)),
        Template(path=COMMENT, text=_comment(pipeline)),
    )


def _head() -> str:
    return f"{MARK} github`; `hullmark ci check` tells when it has to be written again.\n"


def _set_up(pipeline: Pipeline) -> str:
    return f"""\
      - uses: {pinned("actions/setup-python")}
        with:
          python-version: "3.13"
      - name: Install hullmark
        run: python -m pip install --disable-pip-version-check "hullmark=={pipeline.version}"
        working-directory: ${{{{ runner.temp }}}}
"""


def _check_out() -> str:
    return f"""\
      - uses: {pinned("actions/checkout")}
        with:
          fetch-depth: 0
          persist-credentials: false
"""


def _cache(name: str) -> str:
    return f"""\
      - uses: {pinned("actions/cache")}
        with:
          path: ~/.cache/hullmark
          key: hullmark-${{{{ runner.os }}}}-{name}-${{{{ github.sha }}}}
          restore-keys: hullmark-${{{{ runner.os }}}}-{name}-
"""


def _build(pipeline: Pipeline) -> str:
    # Where the project is, is said once, so that commands are those of somebody who stands in it.
    below = quoted(pipeline.below or ".")
    return f"""\
{_head()}name: {_NAME}

on: [pull_request, merge_group]

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.event.pull_request.number || github.ref }}}}
  cancel-in-progress: ${{{{ github.event_name == 'pull_request' }}}}

defaults:
  run:
    shell: bash
    working-directory: {below}

env:
  # Text of strangers reaches a shell as the value of a variable, never as a part of the script.
  BASE: ${{{{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}}}

jobs:
  changes:
    name: Detect changes
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      contents: read
    outputs:
      matrix: ${{{{ steps.affected.outputs.matrix }}}}
      any: ${{{{ steps.affected.outputs.any }}}}
    steps:
{_check_out()}{_set_up(pipeline)}\
      - name: Find the services that are affected
        id: affected
        run: hullmark affected --base "$BASE" --format github >> "$GITHUB_OUTPUT"

  build:
    name: Build ${{{{ matrix.service }}}}
    needs: changes
    if: needs.changes.outputs.any == 'true'
    runs-on: ubuntu-latest
    timeout-minutes: 60
    permissions:
      contents: read
    strategy:
      fail-fast: false
      matrix: ${{{{ fromJSON(needs.changes.outputs.matrix) }}}}
    env:
      SERVICE: ${{{{ matrix.service }}}}
    steps:
{_check_out()}{_set_up(pipeline)}{_cache("${{ matrix.service }}")}\
      - name: Build the image
        run: hullmark ci run build --base "$BASE" --images "$RUNNER_TEMP/images" "$SERVICE"
      - uses: {pinned("actions/upload-artifact")}
        with:
          name: image-${{{{ matrix.service }}}}
          path: ${{{{ runner.temp }}}}/images
          if-no-files-found: error
          compression-level: 1
          retention-days: 1

  check:
    name: Smoke-test, validate, scan
    needs: [changes, build]
    # Without anything to build there is still a stack that may be affected, and a comment to be brought up to date.
    if: ${{{{ !cancelled() && needs.changes.result == 'success' && needs.build.result != 'failure' }}}}
    runs-on: ubuntu-latest
    timeout-minutes: {pipeline.minutes}
    permissions:
      contents: read
    steps:
{_check_out()}{_set_up(pipeline)}{_cache("check")}\
      - uses: {pinned("actions/download-artifact")}
        with:
          pattern: image-*
          path: ${{{{ runner.temp }}}}/images
          merge-multiple: true
      - name: Fetch the records of known vulnerabilities
        # Without them a scan says that it could not look, and nothing else waits for it.
        continue-on-error: true
        timeout-minutes: 10
        run: hullmark db update
      - name: Check the images that are affected, and the stack with them
        run: |
          mkdir -p "$RUNNER_TEMP/images"
          hullmark ci run stack --base "$BASE" --images "$RUNNER_TEMP/images" --reports "$RUNNER_TEMP/reports"
      - name: Show the report
        if: ${{{{ !cancelled() }}}}
        run: test ! -f "$RUNNER_TEMP/reports/report.md" || cat "$RUNNER_TEMP/reports/report.md" >> "$GITHUB_STEP_SUMMARY"
      - uses: {pinned("actions/upload-artifact")}
        if: ${{{{ !cancelled() }}}}
        with:
          name: hullmark-report
          path: ${{{{ runner.temp }}}}/reports
          if-no-files-found: ignore

  verdict:
    name: Verdict
    needs: [changes, build, check]
    if: ${{{{ always() }}}}
    runs-on: ubuntu-latest
    timeout-minutes: 5
    permissions: {{}}
    steps:
      # A check that was left out has not passed. Only the build has nothing to do where no image is affected.
      - name: Fail unless everything passed
        if: >-
          ${{{{ needs.changes.result != 'success' || needs.check.result != 'success'
          || (needs.build.result != 'success' && needs.changes.outputs.any != 'false') }}}}
        run: exit 1
        working-directory: .
      - name: Pass
        run: echo "The images may sail."
        working-directory: .
"""


def _comment(pipeline: Pipeline) -> str:
    return f"""\
{_head()}name: Comment on container images

on:
  # This one may write, so it runs none of the code of the pull request: it takes a text from it and no more.
  workflow_run: # zizmor: ignore[dangerous-triggers]
    workflows: [{_NAME}]
    types: [completed]

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.event.workflow_run.head_repository.full_name }}}}-${{{{ github.event.workflow_run.head_branch }}}}
  cancel-in-progress: true

defaults:
  run:
    shell: bash

jobs:
  comment:
    name: Comment
    if: github.event.workflow_run.event == 'pull_request' && github.event.workflow_run.conclusion != 'cancelled'
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      actions: read # the report of the other workflow
      pull-requests: write # the comment
    steps:
{_set_up(pipeline)}\
      - uses: {pinned("actions/download-artifact")}
        with:
          pattern: hullmark-report
          path: ${{{{ runner.temp }}}}/reports
          merge-multiple: true
          run-id: ${{{{ github.event.workflow_run.id }}}}
          github-token: ${{{{ github.token }}}}
      - name: Write the comment, or bring it up to date
        run: hullmark ci comment "$RUNNER_TEMP/reports/report.md" --of "$OWNER:$BRANCH" --at "$COMMIT"
        working-directory: ${{{{ runner.temp }}}}
        env:
          OWNER: ${{{{ github.event.workflow_run.head_repository.owner.login }}}}
          BRANCH: ${{{{ github.event.workflow_run.head_branch }}}}
          COMMIT: ${{{{ github.event.workflow_run.head_sha }}}}
          GITHUB_TOKEN: ${{{{ github.token }}}}
"""
