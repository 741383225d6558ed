"""The reference stack: clean as it is, and exactly one finding for each convention that is broken in a copy of it."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hullmark._cli import main
from hullmark.rules import catalogue
from hullmark.testing import planted

TALE = Path(__file__).resolve().parents[2] / "examples" / "tale"
CRAWLER, DB, PLATFORM, PROXY, RAG = (
    f"services/{name}/Dockerfile" for name in ("crawler", "db", "platform", "proxy", "rag")
)
COMPOSE, TESTING = "compose.yml", "compose.test.yml"

RUNTIME = "FROM python AS runtime\n"
USER = "USER 10001:10001\n"
COMMAND = 'CMD ["node", "/app/src/server.js"]\n'
CHECK = 'HEALTHCHECK --interval=10s --timeout=5s --start-period=40s --retries=3 \\\n    CMD ["node", "/app/src/healthcheck.js"]\n'
LISTS = " \\\n    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*"
TITLE = 'org.opencontainers.image.title="tale-rag" \\\n      '
VERSION = ' \\\n      org.opencontainers.image.version="${VERSION}"'
INSTALL = "RUN apt-get update \\\n    && apt-get install -y --no-install-recommends python3 \\"
MIGRATIONS = "COPY services/db/migrations/ /migrations/\n"
UNPINNED = "# hullmark: ignore=unpinned-base-image an image that the machine makes itself has no digest\n"
PYTHON_CHECK = (
    '"python3", "-c", "import urllib.request as r; r.urlopen(\'http://127.0.0.1:8001/health\', timeout=4)"'
)
COMPILED = "services/rag/rag/__pycache__/main.cpython-313.pyc"
RAG_PORT = "    ports:\n      - 127.0.0.1:8001:8001\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """What breaks one convention, and no other."""

    rule: str
    edits: tuple[tuple[str, str, str], ...] = ()
    """File, what stands there once, and what stands there then."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    secret: str | None = None
    """A file that holds one."""

    def make(self, root: Path) -> None:
        for name, old, new in self.edits:
            text = (root / name).read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{text.count(old)} times {old!r} in {name}"
            (root / name).write_text(text.replace(old, new), encoding="utf-8")
        for name in self.added:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("anything\n", encoding="utf-8")
        if self.secret is not None:
            text = planted("gitlab-token", random.Random(self.rule)).text  # noqa: S311  # nobody relies on it
            (root / self.secret).write_text(f"-- {text}\n", encoding="utf-8")
        for name in self.removed:
            (root / name).unlink()


def _in(file: str, rule: str, *edits: tuple[str, str]) -> Break:
    return Break(rule=rule, edits=tuple((file, old, new) for old, new in edits))


BREAKS = [
    _in(RAG, "squash-loses-env", ("    PYTHONUNBUFFERED=1\n", "    X=1\n"), (RUNTIME, f"{RUNTIME}ENV PYTHONUNBUFFERED=1\n")),
    _in(RAG, "squash-loses-label", (TITLE, ""), (RUNTIME, f'{RUNTIME}LABEL org.opencontainers.image.title="tale-rag"\n')),
    _in(RAG, "squash-loses-user", (USER, ""), (RUNTIME, f"{RUNTIME}{USER}")),
    _in(RAG, "squash-loses-expose", ("EXPOSE 8001\n", ""), (RUNTIME, f"{RUNTIME}EXPOSE 8001\n")),
    _in(RAG, "squash-loses-volume", (RUNTIME, f"{RUNTIME}RUN install -d /data\nVOLUME /data\n")),
    _in(RAG, "squash-loses-workdir", (RUNTIME, f"{RUNTIME}WORKDIR /app\n")),
    _in(RAG, "squash-loses-stopsignal", (RUNTIME, f"{RUNTIME}STOPSIGNAL SIGINT\n")),
    _in(RAG, "squash-loses-entrypoint", (RUNTIME, f'{RUNTIME}ENTRYPOINT ["/entrypoint.sh"]\n')),
    _in(RAG, "squash-loses-shell", (RUNTIME, f'{RUNTIME}SHELL ["/bin/bash", "-o", "pipefail", "-c"]\n'), (f"CMD [{PYTHON_CHECK}]", "CMD python3 -m rag.check")),
    _in(PLATFORM, "squash-loses-cmd", (COMMAND, ""), ("FROM node AS runtime\n", f"FROM node AS runtime\n{COMMAND}")),
    _in(PLATFORM, "missing-healthcheck", (CHECK, ""), ("FROM node AS runtime\n", f"FROM node AS runtime\n{CHECK}")),
    _in(PLATFORM, "missing-healthcheck", (CHECK, "")),
    _in(PLATFORM, "healthcheck-without-timeout", ("--timeout=5s ", "")),
    _in(RAG, "healthcheck-program-missing", ("PATH=/opt/venv/bin:", "PATH="), (PYTHON_CHECK, '"curl", "-f", "http://127.0.0.1:8001/health"')),
    _in(RAG, "version-label-not-from-arg", ('image.version="${VERSION}"', 'image.version="1.0"')),
    _in(RAG, "version-argument-without-default", ("ARG VERSION=dev\n", "ARG VERSION\n")),
    _in(RAG, "missing-version-label", (VERSION, "")),
    _in(RAG, "apt-recommends", ("--no-install-recommends python3 \\", "python3 \\")),
    _in(RAG, "apt-lists-left", (f"python3{LISTS}", "python3")),
    _in(RAG, "apt-update-alone", (INSTALL, INSTALL.replace(" \\\n    && ", "\nRUN ", 1))),
    _in(RAG, "apt-upgrade", (INSTALL, INSTALL.replace("update \\", "update && apt-get upgrade -y \\"))),
    _in(RAG, "secret-printed", (RUNTIME, f"{RUNTIME}RUN cat /run/secrets/token\n")),
    _in(RAG, "system-upgrade", (RUNTIME, f"{RUNTIME}RUN apk upgrade\n")),
    _in(DB, "masked-deletion", (" /var/lib/apt/lists/*", ""), ("COPY --chmod", "RUN rm -rf /var/lib/apt/lists/*\nCOPY --chmod")),
    _in(DB, "masked-deletion", (MIGRATIONS, "COPY x.sql /tmp/\nRUN rm /tmp/x.sql\n")),
    _in(DB, "single-stage-build", ("postgresql-17-pgvector", "postgresql-17-pgvector gcc")),
    _in(RAG, "build-tools-in-final-stage", ("--no-install-recommends python3 \\", "--no-install-recommends python3 gcc \\")),
    _in(RAG, "pip-cache-kept", ("--no-cache-dir --only-binary", "--only-binary")),
    _in(PLATFORM, "sources-before-dependencies", ("COPY services/platform/src/ src/\n", ""), ("COPY services/platform/package.json services", "COPY services/platform/src/ src/\nCOPY services/platform/package.json services")),
    _in(RAG, "mount-point-missing", ("EXPOSE 8001\n", "EXPOSE 8001\nVOLUME /data\n")),
    _in(RAG, "unexplained-ignore", ("EXPOSE 8001\n", "# hullmark: ignore=apt-recommends\nEXPOSE 8001\n")),
    _in(RAG, "misplaced-ignore", ("EXPOSE 8001\n", "EXPOSE 8001\n# hullmark: ignore=apt-recommends it is small\n\n")),
    _in(RAG, "unread-commands", (RUNTIME, f"{RUNTIME}RUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF\n")),
    _in(RAG, "required-argument-missing", ("EXPOSE 8001\n", "EXPOSE 8001\nARG PLACE\nENV PLACE=${PLACE:?missing}\n")),
    _in(RAG, "secret-in-build-argument", ("EXPOSE 8001\n", "EXPOSE 8001\nARG API_TOKEN\n")),
    _in(DB, "credential-file-copied", (MIGRATIONS, "COPY .env services/db/migrations/ /migrations/\n")),
    _in(DB, "add-without-checksum", (MIGRATIONS, "ADD https://example.com/migrations.tar /migrations/\n")),
    _in(DB, "unpinned-base-image", (UNPINNED, "")),
    _in(PLATFORM, "shell-form-entrypoint", (COMMAND, "CMD node /app/src/server.js\n")),
    _in(DB, "removed-libraries", (MIGRATIONS, "RUN find /usr/lib -name '*.so' -delete\n")),
    _in(RAG, "removed-libraries", ("-exec strip --strip-debug {} +", "-delete")),
    _in(PLATFORM, "root-in-final-stage", (USER, "USER root\n")),
    _in(PLATFORM, "pruned-dependency", ("-o -name docs", "-o -name docs -o -name express")),
    Break(rule="dockerignore-missing", added=(COMPILED,), removed=(".dockerignore",)),
    Break(rule="dockerignore-lets-in", added=(COMPILED,), edits=((".dockerignore", "**/__pycache__\n", ""),)),
    Break(rule="secret-in-context", secret="services/db/migrations/999_seed.sql"),
    _in(COMPOSE, "engine-socket-mounted", (RAG_PORT, f"{RAG_PORT}    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n")),
    _in(COMPOSE, "fixed-container-name", (RAG_PORT, f"{RAG_PORT}    container_name: rag\n")),
    _in(COMPOSE, "inline-secret", ("      CRAWLER_URL:", "      API_TOKEN: 0f8b2c6d51\n      CRAWLER_URL:")),
    _in(TESTING, "latest-image", ("    image: tale-crawler:${VERSION:-dev}\n", "    image: python:latest\n")),
    _in(COMPOSE, "privileged-service", (RAG_PORT, f"{RAG_PORT}    privileged: true\n")),
    _in(TESTING, "shared-host-port", ("127.0.0.1:18001:8001", "127.0.0.1:18002:8001")),
    _in(TESTING, "unchecked-dependency", ("  rag:\n    <<: *often\n", "  rag:\n    healthcheck:\n      disable: true\n")),
    _in(TESTING, "unlimited-memory", ("    mem_limit: 128m\n", "")),
]  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the reference stack, without what else may lie around in it."""
    root = tmp_path / "tale"
    shutil.copytree(TALE, root, ignore=shutil.ignore_patterns("__pycache__", "node_modules", "trivy-reports"))
    (root / ".git").mkdir()  # the search for a project ends here
    return root


def _lint(root: Path, *options: str) -> dict[str, Any]:
    stdout, stderr = io.StringIO(), io.StringIO()
    # What hadolint says depends on its version, and tests/linters asks it.
    environ = dict(os.environ) | {"HULLMARK_HADOLINT": "never"}
    main(
        ["-C", str(root), "lint", "--format", "json", *options], stdout=stdout, stderr=stderr, environ=environ
    )
    assert stdout.getvalue(), stderr.getvalue()
    report: dict[str, Any] = json.loads(stdout.getvalue())
    return report


def _rules(report: dict[str, Any]) -> list[str]:
    return [finding["rule"] for finding in report["findings"]]


def test_the_reference_stack_is_clean(copy: Path) -> None:
    report = _lint(copy)
    assert _rules(report) == []
    assert report["project"]["services"] == ["crawler", "db", "platform", "proxy", "rag"]
    assert {each["status"] for each in report["outcomes"]} == {"ran"}


def test_every_convention_is_broken_once() -> None:
    conventions = {
        rule.id
        for rule in catalogue()
        if rule.function.__module__.split(".")[-2] in {"compose", "dockerfile"}
    }
    assert {each.rule for each in BREAKS} == conventions


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.rule)
def test_what_is_broken_is_found_once_and_by_its_rule_and_its_fix_mends_it(copy: Path, broken: Break) -> None:
    broken.make(copy)
    before = _lint(copy)
    assert _rules(before) == [broken.rule]
    if before["findings"][0]["fixable"]:
        assert _rules(_lint(copy, "--fix", "--unsafe-fixes")) == []
