"""The same pipeline for GitLab, as a file that `.gitlab-ci.yml` includes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.gitlab_baseline import baseline, take
from hullmark._ci.templates import Template, first_line, quoted

if TYPE_CHECKING:
    from hullmark._ci.publishing import Publishing
    from hullmark._ci.templates import Pipeline


def templates(pipeline: Pipeline) -> tuple[Template, ...]:
    """The one file."""
    return (Template(path=f".gitlab/hullmark{pipeline.suffix}.yml", text=_text(pipeline)),)


def _text(pipeline: Pipeline) -> str:
    # Files that are included share the names of jobs.
    of = pipeline.suffix
    build = _build(pipeline) if pipeline.built else ""
    needs = f"  needs: [hullmark-build{of}]\n" if pipeline.built else ""
    kept = "" if pipeline.keeping is None else baseline(pipeline, pipeline.keeping)
    publishing = "" if pipeline.release is None else _release(pipeline, pipeline.release)
    return f"""\
{first_line("gitlab", pipeline)}\
# Its jobs need a runner that has git, Python and a Docker engine on the same machine: one with the shell executor.
.hullmark{of}:
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

{build}hullmark-check{of}:
  extends: .hullmark{of}
  stage: test
  rules:
    # Where a build failed, the report says so.
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      when: always
{needs}  timeout: {pipeline.minutes} minutes
  cache:
    key: hullmark-check{of}
    paths: [.hullmark/cache]
  script:
    - hullmark -C "$PROJECT" db update || echo "the images are not looked at for known vulnerabilities"
    - mkdir -p .hullmark/images .hullmark/reports
{take(pipeline)}\
    - >-
      hullmark -C "$PROJECT" ci run stack --base "$CI_MERGE_REQUEST_DIFF_BASE_SHA"
      --images "$CI_PROJECT_DIR/.hullmark/images" --reports "$CI_PROJECT_DIR/.hullmark/reports"
    - touch .hullmark/reports/passed
  artifacts:
    when: always
    paths: [.hullmark/reports]
    reports:
      junit: .hullmark/reports/report.xml

hullmark-verdict{of}:
  extends: .hullmark{of}
  stage: .post
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
      when: always
  needs: [hullmark-check{of}]
  timeout: 10 minutes
  variables:
    GIT_STRATEGY: none
    PROJECT: {quoted(pipeline.below)}
  script:
    - hullmark ci note .hullmark/reports/report.md --project "$PROJECT" || echo "the merge request has no new note"
    - test -f .hullmark/reports/passed
{kept}{publishing}"""


def _build(pipeline: Pipeline) -> str:
    of = pipeline.suffix
    services = ", ".join(quoted(name) for name in pipeline.built)
    return f"""\
hullmark-build{of}:
  extends: .hullmark{of}
  stage: build
  timeout: 60 minutes
  parallel:
    matrix:
      - SERVICE: [{services}]
  cache:
    key: hullmark-build{of}-$SERVICE
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


def _release(pipeline: Pipeline, publishing: Publishing) -> str:
    """The jobs of a tag: what one has done goes to the next one as the file that `hullmark release` keeps."""
    of = pipeline.suffix
    machines = "".join(
        f"      - PLATFORM: {quoted(each.platform)}\n        MACHINE: {quoted(each.name)}\n"
        f"        RUNNER: {quoted(each.tag)}\n"
        for each in publishing.machines
    )
    environment = (
        "" if publishing.environment is None else f"  environment: {quoted(publishing.environment)}\n"
    )
    identity = "  id_tokens:\n    SIGSTORE_ID_TOKEN: {aud: sigstore}\n" if publishing.signs else ""
    return f"""
.hullmark.release{of}:
  extends: .hullmark{of}
  interruptible: false
  rules:
    - if: $CI_COMMIT_TAG =~ /^v?[0-9]/
  before_script:
    - !reference [.hullmark{of}, before_script]
    - >-
      printf '%s' "$CI_REGISTRY_PASSWORD"
      | docker login --username "$CI_REGISTRY_USER" --password-stdin {publishing.registry}

hullmark-release-build{of}:
  extends: .hullmark.release{of}
  stage: build
  tags: [$RUNNER]
  timeout: 120 minutes
  parallel:
    matrix:
{machines}\
  script:
    - hullmark -C "$PROJECT" release build "$CI_COMMIT_TAG" --platform "$PLATFORM"
    - mkdir -p .hullmark/states
    - cp "$PROJECT"/.hullmark/release/*.json ".hullmark/states/built-$MACHINE.json"
  artifacts:
    expire_in: 1 week
    paths: [.hullmark/states]

hullmark-release-gate{of}:
  extends: .hullmark.release{of}
  stage: test
  needs: [hullmark-release-build{of}]
  tags: [$RUNNER]
  timeout: {pipeline.minutes} minutes
  parallel:
    matrix:
{machines}\
  script:
    - hullmark -C "$PROJECT" db update || echo "the records are not new; the gate says whether that stops the release"
    - |
      states=()
      for file in "$CI_PROJECT_DIR"/.hullmark/states/built-*.json; do states+=(--state "$file"); done
      hullmark -C "$PROJECT" release gate "$CI_COMMIT_TAG" --platform "$PLATFORM" "${{states[@]}}"
    - cp "$PROJECT"/.hullmark/release/*.json ".hullmark/states/gated-$MACHINE.json"
  artifacts:
    expire_in: 1 week
    paths: [.hullmark/states]

hullmark-release-publish{of}:
  extends: .hullmark.release{of}
  stage: deploy
  needs: [hullmark-release-gate{of}]
  timeout: 60 minutes
  resource_group: hullmark-release{of}-$CI_COMMIT_TAG
{environment}{identity}\
  script:
    - |
      states=()
      for file in "$CI_PROJECT_DIR"/.hullmark/states/gated-*.json; do states+=(--state "$file"); done
      hullmark -C "$PROJECT" release publish "$CI_COMMIT_TAG" "${{states[@]}}"
    - hullmark -C "$PROJECT" release verify "$CI_COMMIT_TAG"
"""
