"""Ten pull requests to a small stack with the shape of the reference stack, each taken through the whole pipeline.

What the comment and the report for code scanning say of each stands in `pull_requests`, word for word but for what
another machine, another day or another base image changes. `HULLMARK_UPDATE_GOLDEN=1` writes what is seen into these
files, for review in the diff.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.vulnerabilities.conftest import archive, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytestmark = pytest.mark.docker

HERE = Path(__file__).resolve().parent
EXPECTED = HERE / "pull_requests"
UPDATE = "HULLMARK_UPDATE_GOLDEN"
SERVICES = ("crawler", "db", "platform", "proxy", "rag")
WORST = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]
SEEDED = "ab4f7c1d90e2658b3fd1" * 2
"""What a program would take for the key of somebody, and is the key of nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A clone of the stack's repository, in which a branch is worked on."""

    root: Path
    environ: Mapping[str, str]

    def git(self, *arguments: str) -> None:
        """Calls git."""
        done = subprocess.run(
            ("git", *arguments), cwd=self.root, env=dict(self.environ), capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def commit(self) -> None:
        """Commits all there is."""
        self.git("add", "--all")
        self.git("commit", "-qm", "Change")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replaces `old`, which must be there, in one of its files."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def install(self, service: str, package: str, version: str, *, size: int = 0) -> None:
        """Adds a Python package to what a service brings along."""
        site = self.root / "services" / service / "site-packages"
        described = site / f"{package}-{version}.dist-info"
        described.mkdir()
        text = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        (described / "METADATA").write_text(text, encoding="utf-8")
        (site / package).mkdir()
        (site / package / "data.bin").write_bytes(bytes(size))
        files = (f"{package}/data.bin", f"{described.name}/METADATA", f"{described.name}/RECORD")
        (described / "RECORD").write_text("".join(f"{file},,\n" for file in files), encoding="utf-8")

    def hullmark(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs hullmark here."""
        return subprocess.run(
            (sys.executable, "-m", "hullmark", "-C", str(self.root), *arguments),
            env=dict(self.environ),
            capture_output=True,
            check=False,
            text=True,
            timeout=1800,
        )


def _grows(checkout: Checkout) -> None:
    checkout.install("rag", "ballast", "2.0", size=40_000_000)


def _drops_a_label(checkout: Checkout) -> None:
    path = checkout.root / "services/platform/Dockerfile"
    text = path.read_text(encoding="utf-8")
    labels = text[text.index("ARG VERSION") :]
    # They stand in the stage that is squashed, and no more in the one that is left of it.
    path.write_text(text.replace(labels, "").replace("\n# Squash", f"{labels}\n# Squash"), encoding="utf-8")


def _adds_a_secret_and_removes_it(checkout: Checkout) -> None:
    (checkout.root / "services/crawler/settings").write_text(f"API_KEY={SEEDED}\n", encoding="utf-8")
    checkout.edit(
        "services/crawler/Dockerfile",
        "USER ",
        "COPY services/crawler/settings /srv/.env\nRUN cp /srv/.env /srv/settings && rm /srv/.env /srv/settings\nUSER ",
    )


def _touches_only_docs(checkout: Checkout) -> None:
    checkout.edit("docs/README.md", "Harbour", "The harbour")


def _touches_only_one_service(checkout: Checkout) -> None:
    checkout.edit("services/proxy/answer", "proxy", "the proxy")


def _touches_only_compose(checkout: Checkout) -> None:
    checkout.edit(
        "compose.yml",
        "  rag:\n    <<: *service\n",
        "  rag:\n    <<: *service\n    environment: {WORDS: many}\n",
    )


def _renames_a_service(checkout: Checkout) -> None:
    checkout.git("mv", "services/rag", "services/search")
    for name in "compose.yml", "hullmark.toml", "services/search/Dockerfile":
        text = (checkout.root / name).read_text(encoding="utf-8")
        (checkout.root / name).write_text(re.sub(r"\brag\b", "search", text), encoding="utf-8")


def _breaks_a_link(checkout: Checkout) -> None:
    checkout.edit("services/crawler/Dockerfile", "8002", "8012")


def _adds_a_vulnerable_package(checkout: Checkout) -> None:
    checkout.install("platform", "lantern", "1.0")


def _is_clean(checkout: Checkout) -> None:
    for service in "rag", "crawler":
        checkout.edit(f"services/{service}/answer", service, f"another {service}")
    checkout.edit("docs/README.md", "Harbour", "The harbour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A pull request, and what is to come of it."""

    change: Callable[[Checkout], None]
    build: tuple[str, ...]
    smoke: tuple[str, ...]
    code: int
    status: str
    errors: tuple[tuple[str, str], ...] = ()
    """Rule and service of everything that fails."""

    @property
    def name(self) -> str:
        """As its files are called."""
        return self.change.__name__.strip("_").replace("_", "-")


BRANCHES = (
    Branch(
        change=_grows,
        build=("rag",),
        smoke=("platform", "proxy", "rag"),
        code=1,
        status="findings",
        errors=(("over-budget", "rag"),),
    ),
    Branch(
        change=_drops_a_label,
        build=("platform",),
        smoke=("platform", "proxy"),
        code=1,
        status="findings",
        errors=(
            ("missing-image-label", "platform"),
            ("missing-version-label", "platform"),
        ),
    ),
    Branch(
        change=_adds_a_secret_and_removes_it,
        build=("crawler",),
        smoke=("crawler", "platform", "proxy"),
        code=1,
        status="findings",
        errors=(("buried-secret", "crawler"), ("secret-in-context", "crawler")),
    ),
    Branch(change=_touches_only_docs, build=(), smoke=(), code=0, status="nothing"),
    Branch(change=_touches_only_one_service, build=("proxy",), smoke=("proxy",), code=0, status="clean"),
    Branch(
        change=_touches_only_compose, build=(), smoke=("platform", "proxy", "rag"), code=0, status="clean"
    ),
    Branch(
        change=_renames_a_service,
        build=("search",),
        # A link to the database has another beginning.
        smoke=("crawler", "db", "platform", "proxy", "search"),
        code=0,
        status="clean",
    ),
    Branch(
        change=_breaks_a_link,
        build=("crawler",),
        smoke=("crawler", "platform", "proxy"),
        code=1,
        status="findings",
        errors=(("failed-link", "platform"),),
    ),
    Branch(
        change=_adds_a_vulnerable_package,
        build=("platform",),
        smoke=("platform", "proxy"),
        code=1,
        status="findings",
        errors=(("vulnerable-package", "platform"),),
    ),
    Branch(
        change=_is_clean,
        build=("crawler", "rag"),
        smoke=("crawler", "platform", "proxy", "rag"),
        code=0,
        status="clean",
    ),
)


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """The stack as it is on the branch `main`, with its baseline; its images are removed afterwards."""
    directory = tmp_path_factory.mktemp("pull-requests")
    token = f"hullmark-test-harbour-{secrets.token_hex(4)}"
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "HULLMARK_", "COMPOSE_", "GITHUB_"))
    }
    environ = {
        **kept,
        "HARBOUR": token,
        "HULLMARK_HADOLINT": "never",
        "HULLMARK_CACHE_DIR": str(directory / "cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A. Author",
        "GIT_AUTHOR_EMAIL": "author@example.org",
        "GIT_COMMITTER_NAME": "A. Author",
        "GIT_COMMITTER_EMAIL": "author@example.org",
        "HULLMARK_DB_MAX_AGE": "9999 days",
    }
    checkout = Checkout(root=directory / "harbour", environ=environ)
    shutil.copytree(HERE / "harbour", checkout.root)
    checkout.git("init", "-q", "-b", "main")
    checkout.commit()
    records = {
        "PyPI": record("PYSEC-2026-1", "lantern", fixed="1.2", severity=WORST),
        "Debian": record("DSA-1-1", "lamp", ecosystem="Debian:12"),
    }
    for ecosystem, each in records.items():
        (directory / "osv" / ecosystem).mkdir(parents=True)
        (directory / "osv" / ecosystem / "all.zip").write_bytes(archive([each]))
    try:
        for arguments in (
            ("db", "update", "--whole", "--db-url", str(directory / "osv"), *records),
            ("build",),
            ("baseline", "save"),
        ):
            done = checkout.hullmark("-q", *arguments)
            assert done.returncode == 0, done.stdout + done.stderr
        checkout.commit()
        yield checkout
    finally:
        _remove_images(token)


def _remove_images(token: str) -> None:
    """Removes all that was built, with a name and without."""
    listed = subprocess.run(
        ("docker", "images", "--all", "--quiet", "--filter", f"label=harbour={token}"),
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    if images := sorted(set(listed.stdout.split())):
        subprocess.run(("docker", "rmi", "--force", *images), capture_output=True, check=True, timeout=300)


@pytest.mark.parametrize("branch", BRANCHES, ids=lambda branch: branch.name)
def test_what_a_pull_request_is_told_is_exactly_right(branch: Branch, main: Checkout, tmp_path: Path) -> None:
    checkout = Checkout(root=tmp_path / "harbour", environ=main.environ)
    main.git("clone", "-q", str(main.root), str(checkout.root))
    checkout.git("switch", "-q", "-c", branch.name)
    branch.change(checkout)
    checkout.commit()

    affected = json.loads(checkout.hullmark("affected", "--base", "main", "--format", "json").stdout)
    assert (tuple(affected["build"]), tuple(affected["smoke"])) == (branch.build, branch.smoke)

    reports = tmp_path / "reports"
    done = checkout.hullmark("-q", "ci", "run", "pr", "--base", "main", "--reports", str(reports))
    assert done.returncode == branch.code, done.stdout + done.stderr
    document = json.loads((reports / "report.sarif").read_text(encoding="utf-8"))
    results = [result for run in document["runs"] for result in run["results"]]
    errors = [(each["ruleId"], each["properties"]["service"]) for each in results if each["level"] == "error"]
    assert sorted(errors) == sorted(branch.errors)
    if branch.status == "nothing":
        assert done.stdout == "no image is affected\n"
    else:
        verdict = json.loads((reports / "report.json").read_text(encoding="utf-8"))["verdict"]
        assert (verdict["exit_code"], verdict["status"]) == (branch.code, branch.status)
    seen = {
        "md": _comment((reports / "report.md").read_text(encoding="utf-8"), main),
        "sarif.json": _scanned(document, main),
    }
    files = {kind: EXPECTED / f"{branch.name}.{kind}" for kind in seen}
    if os.environ.get(UPDATE):
        for kind, text in seen.items():
            files[kind].write_text(text, encoding="utf-8")
    assert seen == {kind: path.read_text(encoding="utf-8") for kind, path in files.items()}


def _comment(text: str, main: Checkout) -> str:
    """The comment, without what time it took and what the base image weighs."""
    lines = [line for line in text.splitlines() if not line.startswith(("| `dpkg ", "| `directory /var` "))]
    # A bar of the time line is as long as things took.
    lines = [re.sub(r"\| [\s·─━░]+ \|", "| … |", line) for line in lines]
    return _settled("\n".join(lines), main) + "\n"


def _settled(text: str, main: Checkout) -> str:
    for pattern, new in (
        (re.escape(main.environ["HARBOUR"]), "HARBOUR"),
        (r"\b(sha256:)?[0-9a-f]{64}\b", "DIGEST"),
        (r"at main \([0-9a-f]{10}\)", "at main (COMMIT)"),
        (r"\b(\d+ min )?\d+(\.\d)? (s|ms|min)\b", "TIME"),
        (r"[█░]{10} \d+%", "BAR"),
        # By how much it grew is what this is about; how large the base image is, is not.
        (r"(?<![+-])\b\d+\.\d [kM]B", "SIZE"),
        (r'budget = \\?"\d+ MB\\?"', "BUDGET"),
        (r"\b[a-z0-9.+-]+ \S+ \(dpkg\) SIZE", "PACKAGE"),
    ):
        text = re.sub(pattern, new, text)
    return text


def _scanned(document: Any, main: Checkout) -> str:
    """The rules, places and fingerprints of a report for code scanning, with the category of each upload."""
    kept = [
        {
            "category": run["automationDetails"]["id"],
            "results": [
                {
                    **{key: result[key] for key in ("ruleId", "level", "partialFingerprints")},
                    "baselineState": result.get("baselineState"),
                    "message": result["message"]["text"].splitlines()[0],
                    "locations": result["locations"],
                }
                for result in run["results"]
            ],
        }
        for run in document["runs"]
    ]
    return _settled(json.dumps(kept, indent=2, ensure_ascii=False), main) + "\n"


def test_the_expected_files_are_not_being_rewritten() -> None:
    assert UPDATE not in os.environ, "expected files were rewritten, not checked"
    assert {path.name for path in EXPECTED.iterdir()} == {
        f"{branch.name}.{kind}" for branch in BRANCHES for kind in ("md", "sarif.json")
    }
