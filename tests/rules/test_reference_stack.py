"""The Dockerfiles of the reference stack: clean as they are, and exactly one finding for each convention that is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from hullmark._dockerfile import fix_text, lint, parse

TALE = Path(__file__).resolve().parents[2] / "examples" / "tale"
FILES = sorted(TALE.glob("services/*/Dockerfile"))

RUNTIME = "FROM python AS runtime\n"
USER = "USER 10001:10001\n"
COMMAND = 'CMD ["node", "/app/src/server.js"]\n'
CHECK = 'HEALTHCHECK --interval=10s --timeout=5s --start-period=40s --retries=3 \\\n    CMD ["node", "/app/src/healthcheck.js"]\n'
LISTS = " \\\n    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*"
TITLE = 'org.opencontainers.image.title="tale-rag" \\\n      '


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_the_reference_stack_is_clean(path: Path) -> None:
    assert not lint(parse(path.read_text(encoding="utf-8"), path.name), volumes=_volumes(path.parent.name))


def test_the_reference_stack_has_its_five_images() -> None:
    assert [path.parent.name for path in FILES] == ["crawler", "db", "platform", "proxy", "rag"]


def _volumes(service: str) -> tuple[str, ...]:
    return {"db": ("/var/lib/postgresql/data",), "proxy": ("/config", "/data")}.get(service, ())


@pytest.mark.parametrize(
    ("service", "edits", "rule"),
    [
        ("rag", [("    PYTHONUNBUFFERED=1\n", "    X=1\n"), (RUNTIME, f"{RUNTIME}ENV PYTHONUNBUFFERED=1\n")], "squash-loses-env"),
        ("rag", [(TITLE, ""), (RUNTIME, f'{RUNTIME}LABEL org.opencontainers.image.title="tale-rag"\n')], "squash-loses-label"),
        ("rag", [(USER, ""), (RUNTIME, f"{RUNTIME}{USER}")], "squash-loses-user"),
        ("rag", [("EXPOSE 8001\n", ""), (RUNTIME, f"{RUNTIME}EXPOSE 8001\n")], "squash-loses-expose"),
        ("rag", [(RUNTIME, f"{RUNTIME}RUN install -d /data\nVOLUME /data\n")], "squash-loses-volume"),
        ("rag", [(RUNTIME, f"{RUNTIME}WORKDIR /app\n")], "squash-loses-workdir"),
        ("rag", [(RUNTIME, f"{RUNTIME}STOPSIGNAL SIGINT\n")], "squash-loses-stopsignal"),
        ("rag", [(RUNTIME, f'{RUNTIME}ENTRYPOINT ["/entrypoint.sh"]\n')], "squash-loses-entrypoint"),
        ("platform", [(COMMAND, ""), ("FROM node AS runtime\n", f"FROM node AS runtime\n{COMMAND}")], "squash-loses-cmd"),
        ("platform", [(CHECK, ""), ("FROM node AS runtime\n", f"FROM node AS runtime\n{CHECK}")], "missing-healthcheck"),
        ("platform", [("--timeout=5s ", "")], "healthcheck-without-timeout"),
        ("platform", [('["node", "/app/src/healthcheck.js"]', '["curl", "-f", "http://localhost:3000/"]')], None),
        ("rag", [('image.version="${VERSION}"', 'image.version="1.0"')], "version-label-not-from-arg"),
        ("rag", [(' \\\n      org.opencontainers.image.version="${VERSION}"', "")], "missing-version-label"),
        ("rag", [("--no-install-recommends python3 \\", "python3 \\")], "apt-recommends"),
        ("rag", [(f"python3{LISTS}", "python3")], "apt-lists-left"),
        ("db", [(" /var/lib/apt/lists/*", ""), ("COPY --chmod", "RUN rm -rf /var/lib/apt/lists/*\nCOPY --chmod")], "masked-deletion"),
        ("db", [("COPY services/db/migrations/ /migrations/\n", "COPY x.sql /tmp/\nRUN rm /tmp/x.sql\n")], "masked-deletion"),
        ("db", [("postgresql-17-pgvector", "postgresql-17-pgvector gcc")], "single-stage-build"),
        ("rag", [("--no-install-recommends python3 \\", "--no-install-recommends python3 gcc \\")], "build-tools-in-final-stage"),
        ("rag", [("--no-cache-dir --only-binary", "--only-binary")], "pip-cache-kept"),
        ("rag", [("RUN apt-get update \\\n    && apt-get install -y --no-install-recommends python3 \\", "RUN apt-get update\nRUN apt-get install -y --no-install-recommends python3 \\")], "apt-update-alone"),
        ("rag", [("RUN apt-get update \\\n    && apt-get install -y --no-install-recommends python3 \\", "RUN apt-get update && apt-get upgrade -y \\\n    && apt-get install -y --no-install-recommends python3 \\")], "apt-upgrade"),
        ("platform", [("COPY services/platform/src/ src/\n", ""), ("COPY services/platform/package.json services", "COPY services/platform/src/ src/\nCOPY services/platform/package.json services")], "sources-before-dependencies"),
        ("rag", [("EXPOSE 8001\n", "EXPOSE 8001\nVOLUME /data\n")], "mount-point-missing"),
        ("rag", [("ARG VERSION=dev\n", "ARG VERSION\n")], "version-argument-without-default"),
        ("rag", [("EXPOSE 8001\n", "EXPOSE 8001\nARG API_TOKEN\n")], "secret-in-build-argument"),
        ("db", [("COPY services/db/migrations/ /migrations/\n", "COPY .env services/db/migrations/ /migrations/\n")], "credential-file-copied"),
        ("db", [("COPY services/db/migrations/ /migrations/\n", "ADD https://example.com/migrations.tar /migrations/\n")], "add-without-checksum"),
        ("db", [("# hullmark: ignore=unpinned-base-image an image that the machine makes itself has no digest\n", "")], "unpinned-base-image"),
        ("platform", [(COMMAND, "CMD node /app/src/server.js\n")], "shell-form-entrypoint"),
        ("db", [("COPY services/db/migrations/ /migrations/\n", "RUN find /usr/lib -name '*.so' -delete\n")], "removed-libraries"),
        ("platform", [(f"{USER}", "USER root\n")], "root-in-final-stage"),
    ],
)  # fmt: skip
def test_what_is_broken_is_found_once_and_by_its_rule(
    service: str, edits: list[tuple[str, str]], rule: str | None
) -> None:
    text = (TALE / "services" / service / "Dockerfile").read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times {old!r}"
        text = text.replace(old, new)
    volumes = _volumes(service)
    non_root = service != "db"
    found = lint(parse(text, "Dockerfile"), volumes=volumes, non_root=non_root)
    # Whether a package that is installed brings curl cannot be known, and what is not sure is not told.
    assert [finding.rule for finding in found] == ([rule] if rule else [])
    fixed, _ = fix_text(
        text, lambda text: lint(parse(text, "Dockerfile"), volumes=volumes, non_root=non_root), unsafe=True
    )
    left = [each.rule for each in lint(parse(fixed, "Dockerfile"), volumes=volumes, non_root=non_root)]
    assert left == ([] if found and found[0].fix else [rule] if rule else [])
