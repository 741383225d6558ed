"""The workflow of GitHub that releases: a tag becomes published images, each platform on a machine of its own.

What one job has done goes to the next one as the file that `hullmark release` keeps; images go by the registry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.actions import pinned
from hullmark._ci.github_steps import OWN, check_out, head, login, set_up
from hullmark._ci.templates import quoted

if TYPE_CHECKING:
    from hullmark._ci.publishing import Publishing
    from hullmark._ci.templates import Pipeline


def release(pipeline: Pipeline, publishing: Publishing) -> str:
    """The text of the workflow."""
    below = quoted(pipeline.below or ".")
    environment = (
        "" if publishing.environment is None else f"    environment: {quoted(publishing.environment)}\n"
    )
    return f"""\
{head(pipeline)}name: Release of container images{pipeline.of}

on:
  push:
    tags: ["v[0-9]*", "[0-9]*"]

permissions: {{}}

concurrency:
  group: ${{{{ github.workflow }}}}-${{{{ github.ref }}}}
  # What moves tags is not cut off, it is waited for.
  cancel-in-progress: false

defaults:
  run:
    shell: bash
    working-directory: {below}

jobs:
  build:
    name: Build for ${{{{ matrix.platform }}}}
    runs-on: ${{{{ matrix.runner }}}}
    timeout-minutes: 120
    permissions:
{_rights(publishing, "contents: read")}\
    strategy:
      fail-fast: false
      matrix:
{_machines(publishing)}\
    steps:
{check_out()}{set_up(pipeline)}{login(publishing.registry)}\
      - name: Build and push the images
        run: hullmark release build "$GITHUB_REF_NAME" --platform "$PLATFORM"
        env:
          PLATFORM: ${{{{ matrix.platform }}}}
{_hand_on("built-${{ matrix.name }}")}
  gate:
    name: Look at what is for ${{{{ matrix.platform }}}}
    needs: build
    runs-on: ${{{{ matrix.runner }}}}
    timeout-minutes: {pipeline.minutes}
    permissions:
{_rights(publishing, "contents: read")}\
    strategy:
      fail-fast: false
      matrix:
{_machines(publishing)}\
    steps:
{check_out()}{set_up(pipeline)}{login(publishing.registry)}{_take_over("built-*")}\
      - name: Fetch the records of known vulnerabilities
        # Without them a scan says that it could not look, and then nothing is published.
        continue-on-error: true
        timeout-minutes: 10
        run: hullmark db update
      - name: Validate, scan and smoke-test the images that were pushed
        run: |
          states=()
          for file in "$RUNNER_TEMP"/states/*/*.json; do states+=(--state "$file"); done
          hullmark release gate "$GITHUB_REF_NAME" --platform "$PLATFORM" "${{states[@]}}"
        env:
          PLATFORM: ${{{{ matrix.platform }}}}
{_hand_on("gated-${{ matrix.name }}", always=True)}
  publish:
    name: Publish
    needs: gate
    runs-on: ubuntu-latest
    timeout-minutes: 60
{environment}    permissions:
{_rights(publishing, *_publishing_rights(publishing))}\
    steps:
{check_out()}{set_up(pipeline)}{_cosign(publishing)}{login(publishing.registry)}{_take_over("gated-*")}\
      - name: Join the images that passed in indexes, and move the tags
        run: |
          states=()
          for file in "$RUNNER_TEMP"/states/*/*.json; do states+=(--state "$file"); done
          hullmark release publish "$GITHUB_REF_NAME" "${{states[@]}}"
{_secrets(publishing)}\
      - name: Look at what is published
        run: hullmark release verify "$GITHUB_REF_NAME"
"""


def _machines(publishing: Publishing) -> str:
    rows = (
        f"          - {{platform: {quoted(each.platform)}, name: {quoted(each.name)}, runner: {quoted(each.runner)}}}\n"
        for each in publishing.machines
    )
    return "        include:\n" + "".join(rows)


def _rights(publishing: Publishing, *rights: str) -> str:
    own = ["packages: write # the images"] if publishing.registry == OWN else []
    return "".join(f"      {each}\n" for each in (*rights, *own))


def _publishing_rights(publishing: Publishing) -> list[str]:
    rights = ["contents: write # the release with its notes" if publishing.announces else "contents: read"]
    rights += ["actions: write # the workflow that is set off"] if publishing.dispatches else []
    rights += ["id-token: write # by which cosign signs"] if publishing.signs else []
    return rights


def _cosign(publishing: Publishing) -> str:
    return f"      - uses: {pinned('sigstore/cosign-installer')}\n" if publishing.signs else ""


def _hand_on(name: str, *, always: bool = False) -> str:
    """Hands on how far the release is, and with `always` also what was found where it does not pass."""
    even = "        if: ${{ !cancelled() }}\n" if always else ""
    return f"""\
      - name: Keep how far it is
{even}\
        run: test ! -d .hullmark/release || cp -R .hullmark/release "$RUNNER_TEMP/state"
      - uses: {pinned("actions/upload-artifact")}
{even}\
        with:
          name: {name}
          path: ${{{{ runner.temp }}}}/state
          if-no-files-found: error
          overwrite: true
"""


def _take_over(pattern: str) -> str:
    return f"""\
      - uses: {pinned("actions/download-artifact")}
        with:
          pattern: {pattern}
          path: ${{{{ runner.temp }}}}/states
"""


def _secrets(publishing: Publishing) -> str:
    values = {name: f"secrets.{name}" for name in publishing.secrets}
    if publishing.announces or publishing.dispatches:
        values["GITHUB_TOKEN"] = "github.token"  # noqa: S105  # an expression
    if not values:
        return ""
    lines = (f"          {name}: ${{{{ {value} }}}}\n" for name, value in sorted(values.items()))
    return "        env:\n" + "".join(lines)
