"""The workflows of GitHub: for a pull request, for the comment there, for the branch that it goes to, and for a release.

The first are two because a pull request from a fork gets no token that may write. The first one has the code of strangers
and may do nothing; the second one may write the comment and has none of their code, only the text of the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.actions import pinned
from hullmark._ci.github_baseline import baseline, compared, rights, take
from hullmark._ci.github_release import release
from hullmark._ci.github_steps import cache, check_out, head, set_up
from hullmark._ci.templates import Template, quoted

if TYPE_CHECKING:
    from hullmark._ci.templates import Pipeline

_WORKFLOWS = ".github/workflows"
BUILD = f"{_WORKFLOWS}/build.yml"
COMMENT = f"{_WORKFLOWS}/build-comment.yml"
BASELINE = f"{_WORKFLOWS}/baseline.yml"
RELEASE = f"{_WORKFLOWS}/release.yml"
"""What they are called for a project at the top of the repository."""
_NAME = "Container images"


def templates(pipeline: Pipeline) -> tuple[Template, ...]:
    """Its workflows: one that keeps a baseline unless the project has its own, one that releases where it has a registry."""
    written = [(BUILD, _build(pipeline)), (COMMENT, _comment(pipeline))]
    if pipeline.keeping is not None:
        written.append((BASELINE, baseline(pipeline, pipeline.keeping)))
    if pipeline.release is not None:
        written.append((RELEASE, release(pipeline, pipeline.release)))
    return tuple(
        Template(path=f"{path.removesuffix('.yml')}{pipeline.suffix}.yml", text=text)
        for path, text in written
    )


def _build(pipeline: Pipeline) -> str:
    # Where the project is, is said once, so that commands are those of somebody who stands in it.
    below = quoted(pipeline.below or ".")
    return f"""\
{head(pipeline)}name: {_NAME}{pipeline.of}

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
{check_out()}{set_up(pipeline)}\
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
{check_out()}{set_up(pipeline)}{cache(pipeline, "${{ matrix.service }}")}\
      - name: Build the image
        run: hullmark ci run build --base "$BASE" --images "$RUNNER_TEMP/images" "$SERVICE"
      - uses: {pinned("actions/upload-artifact")}
        with:
          name: image-${{{{ matrix.service }}}}
          path: ${{{{ runner.temp }}}}/images
          if-no-files-found: error
          # Of the same job, when it was run again.
          overwrite: true
          compression-level: 1
          retention-days: 1

  check:
    name: Smoke-test, validate, scan
    needs: [changes, build]
    # Without anything to build there is still a stack that may be affected, and where a build failed, a report to say so.
    if: ${{{{ !cancelled() && needs.changes.result == 'success' }}}}
    runs-on: ubuntu-latest
    timeout-minutes: {pipeline.minutes}
    permissions:
      contents: read
{rights(pipeline.keeping)}\
    steps:
{check_out()}{set_up(pipeline)}{take(pipeline.keeping)}{cache(pipeline, "check")}\
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
{compared(pipeline.keeping)}\
      - name: Show the report
        if: ${{{{ !cancelled() }}}}
        run: test ! -f "$RUNNER_TEMP/reports/report.md" || cat "$RUNNER_TEMP/reports/report.md" >> "$GITHUB_STEP_SUMMARY"
      - uses: {pinned("actions/upload-artifact")}
        if: ${{{{ !cancelled() }}}}
        with:
          name: hullmark-report
          path: ${{{{ runner.temp }}}}/reports
          if-no-files-found: ignore
          overwrite: true
{_code_scanning(pipeline)}
  verdict:
    name: Verdict{pipeline.of}
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


def _code_scanning(pipeline: Pipeline) -> str:
    """The job that hands the report on; it runs no code of the pull request, as it may write."""
    if not pipeline.code_scanning:
        return ""
    return f"""
  code-scanning:
    name: Code scanning{pipeline.of}
    needs: check
    # The token of a pull request from a fork may not write.
    if: >-
      ${{{{ !cancelled() && needs.check.result != 'skipped' && github.event_name == 'pull_request'
      && github.event.pull_request.head.repo.full_name == github.repository }}}}
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      actions: read # what a private repository asks for besides
      contents: read
      security-events: write # the findings
    steps:
      - uses: {pinned("actions/download-artifact")}
        with:
          pattern: hullmark-report
          path: ${{{{ runner.temp }}}}/reports
          merge-multiple: true
      - uses: {pinned("github/codeql-action/upload-sarif")}
        # A repository without code scanning refuses it, and nothing else waits for it.
        continue-on-error: true
        with:
          sarif_file: ${{{{ runner.temp }}}}/reports/report.sarif
"""


def _comment(pipeline: Pipeline) -> str:
    return f"""\
{head(pipeline)}name: Comment on container images{pipeline.of}

on:
  # This one may write, so it runs none of the code of the pull request: it takes a text from it and no more.
  workflow_run: # zizmor: ignore[dangerous-triggers]
    workflows: [{_NAME}{pipeline.of}]
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
{set_up(pipeline)}\
      - uses: {pinned("actions/download-artifact")}
        with:
          pattern: hullmark-report
          path: ${{{{ runner.temp }}}}/reports
          merge-multiple: true
          run-id: ${{{{ github.event.workflow_run.id }}}}
          github-token: ${{{{ github.token }}}}
      - name: Write the comment, or bring it up to date
        run: hullmark ci comment "$RUNNER_TEMP/reports/report.md" --project "$PROJECT" --of "$OWNER:$BRANCH" --at "$COMMIT"
        working-directory: ${{{{ runner.temp }}}}
        env:
          PROJECT: {quoted(pipeline.below)}
          OWNER: ${{{{ github.event.workflow_run.head_repository.owner.login }}}}
          BRANCH: ${{{{ github.event.workflow_run.head_branch }}}}
          COMMIT: ${{{{ github.event.workflow_run.head_sha }}}}
          GITHUB_TOKEN: ${{{{ github.token }}}}
"""
