"""How a baseline gets from the pipelines of a branch on GitLab to those of merge requests that go there.

Files that a job keeps are for its own pipeline only, so it lies in the registry that GitLab gives to every project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.templates import quoted

if TYPE_CHECKING:
    from hullmark._ci.keeping import Keeping
    from hullmark._ci.templates import Pipeline

_FILE = "$CI_PROJECT_DIR/.hullmark/hullmark-baseline.jsonl"
_NONE = "this project has no registry, and `kept` of `[baseline]` names none: there is no baseline"
_BUILDING = 30
"""Minutes that are allowed besides, because all images are built one after the other."""


def take(pipeline: Pipeline) -> str:
    """What takes the baseline before any code of the merge request runs, and says so where there is none."""
    if pipeline.keeping is None:
        return ""
    return _script(
        pipeline,
        pipeline.keeping,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        f'hullmark -C "$PROJECT" baseline fetch "$baseline" "{_FILE}"',
        after=(f'export HULLMARK_BASELINE="{_FILE}"',),
    )


def baseline(pipeline: Pipeline, keeping: Keeping) -> str:
    """The job of a branch: it checks everything, and keeps what there is."""
    rules = "".join(
        f"    - if: $CI_PIPELINE_SOURCE == {quoted('push')} && $CI_COMMIT_BRANCH == {quoted(branch)}\n"
        for branch in keeping.branches
    )
    of = pipeline.suffix
    keep = _script(
        pipeline,
        keeping,
        "CI_COMMIT_BRANCH",
        f'hullmark -C "$PROJECT" baseline save "$baseline" --report "{_FILE}"',
    )
    return f"""
hullmark-baseline{of}:
  extends: .hullmark{of}
  stage: test
  rules:
{rules}\
  timeout: {pipeline.minutes + _BUILDING} minutes
  cache:
    key: hullmark-baseline{of}
    paths: [.hullmark/cache]
  script:
    - hullmark -C "$PROJECT" db update || echo "the baseline tells nothing of known vulnerabilities"
    - hullmark -C "$PROJECT" baseline save --partial "{_FILE}"
{keep}"""


def _script(
    pipeline: Pipeline, keeping: Keeping, branch: str, command: str, *, after: tuple[str, ...] = ()
) -> str:
    """What logs in, runs `command` with the name in `baseline`, and logs out again."""
    registry = keeping.registry or '"$CI_REGISTRY"'
    # A branch may be called what no tag is.
    kept = f"registry:$CI_REGISTRY_IMAGE/hullmark-baseline{pipeline.suffix}"
    name = keeping.reference or f"{kept}:${{{branch}//[^A-Za-z0-9_.-]/-}}"
    lines = [
        f'baseline="{name}"',
        "printf '%s' \"$CI_REGISTRY_PASSWORD\" |",
        f'  docker login --username "$CI_REGISTRY_USER" --password-stdin {registry}',
        command,
        f"docker logout {registry}",
        *after,
    ]
    if keeping.reference is None:
        lines = [
            'if test -n "${CI_REGISTRY_IMAGE:-}"; then',
            *(f"  {line}" for line in lines),
            "else",
            f"  echo '{_NONE}'",
            "fi",
        ]
    return "    - |\n" + "".join(f"      {line}\n" for line in lines)
