"""The same pipeline for GitLab, as a file that `.gitlab-ci.yml` includes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.templates import MARK, Template, quoted

if TYPE_CHECKING:
    from hullmark._ci.templates import Pipeline

FILE = ".gitlab/hullmark.yml"


def templates(pipeline: Pipeline) -> tuple[Template, ...]:
    """The one file."""
    return (Template(path=FILE, text=_text(pipeline)),)


def _text(pipeline: Pipeline) -> str:
    build = _build(pipeline) if pipeline.built else ""
    needs = "  needs: [hullmark-build]\n" if pipeline.built else ""
    return f"""\
{MARK} gitlab`; `hullmark ci check` tells when it has to be written again.
# Its jobs need a runner that has git, Python and a Docker engine on the same machine: one with the shell executor.
.hullmark:
  tags: [docker]
  interruptible: true
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  variables:
    GIT_DEPTH: "0"
    PROJECT: {quoted(pipeline.below or ".")}
    HULLMARK_CACHE_DIR: $CI_PROJECT_DIR/.hullmark/cache
  before_script:
    - python3 -m venv .hullmark/venv
    - .hullmark/venv/bin/pip install --quiet "hullmark=={pipeline.version}"
    - export PATH="$CI_PROJECT_DIR/.hullmark/venv/bin:$PATH"

{build}hullmark-check:
  extends: .hullmark
  stage: test
{needs}  timeout: {pipeline.minutes} minutes
  cache:
    key: hullmark-check
    paths: [.hullmark/cache]
  script:
    - hullmark -C "$PROJECT" db update || echo "the images are not looked at for known vulnerabilities"
    - mkdir -p .hullmark/images
    - >-
      hullmark -C "$PROJECT" ci run stack --base "$CI_MERGE_REQUEST_DIFF_BASE_SHA"
      --images "$CI_PROJECT_DIR/.hullmark/images" --reports "$CI_PROJECT_DIR/.hullmark/reports"
  artifacts:
    when: always
    paths: [.hullmark/reports]
    reports:
      junit: .hullmark/reports/report.xml
"""


def _build(pipeline: Pipeline) -> str:
    services = ", ".join(quoted(name) for name in pipeline.built)
    return f"""\
hullmark-build:
  extends: .hullmark
  stage: build
  timeout: 60 minutes
  parallel:
    matrix:
      - SERVICE: [{services}]
  cache:
    key: hullmark-$SERVICE
    paths: [.hullmark/cache]
  script:
    - mkdir -p .hullmark/images
    - >-
      hullmark -C "$PROJECT" ci run build --base "$CI_MERGE_REQUEST_DIFF_BASE_SHA"
      --images "$CI_PROJECT_DIR/.hullmark/images" "$SERVICE"
  artifacts:
    expire_in: 1 day
    paths: [.hullmark/images]

"""
