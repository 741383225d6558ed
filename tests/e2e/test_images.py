"""What the images of the reference stack hold, asked of the engine that built them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._settings import load_settings
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from tests.e2e.conftest import Tale

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

LARGE = 1_000_000


def _told(tale: Tale, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hullmark", "-q", "-C", str(tale.root), *arguments],
        env=tale.environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_bytes_are_followed_through_the_squash_budgets_are_set_and_a_project_describes_itself(
    tale: Tale,
) -> None:
    assert tale.run("build").exit_code == 0

    size = tale.run("size", "rag").report
    assert size["attributed"] >= 0.99
    lines = (tale.root / "services/rag/Dockerfile").read_text("utf-8").splitlines()
    named = set()
    for share in size["instructions"]:
        writer = share["chain"][-1]
        if share["bytes"] >= LARGE:
            assert writer["path"] == "services/rag/Dockerfile"
            named.add(lines[writer["line"] - 1].split()[0])
    assert named == {"FROM", "RUN"}
    for part in ("instructions", "owners"):
        assert sum(each["bytes"] for each in size[part]) == size["size"]["visible"]
    assert {"dpkg", "python"} <= {owner["kind"] for owner in size["owners"]}

    diff: dict[str, Any] = tale.run("diff", "rag", "crawler").report
    assert diff["why"].startswith("Its visible size grew by ")
    assert any(owner["name"] == "lxml" and not owner["versions_before"] for owner in diff["owners"])

    before = (tale.root / "hullmark.toml").read_text("utf-8")
    update = _told(tale, "budget", "update", "--headroom", "20", "rag")
    assert (update.returncode, update.stderr) == (0, "")
    after = (tale.root / "hullmark.toml").read_text("utf-8")
    changed = [
        (old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new
    ]
    ((old, new),) = changed
    assert old == 'budget = "600 MB"'
    assert int(new.split('"')[1].split()[0]) == -(-size["size"]["unpacked"] * 120 // 100_000_000)
    assert _told(tale, "budget", "show").returncode == 0

    (tale.root / "SIZES.md").write_text(
        "<!-- hullmark:sizes -->\n<!-- /hullmark:sizes -->\n", encoding="utf-8"
    )
    assert _told(tale, "docs", "sync", "SIZES.md").returncode == 0
    row = next(line for line in (tale.root / "SIZES.md").read_text("utf-8").splitlines() if "| rag |" in line)
    assert row.split("|")[2].strip() == format_size(size["size"]["unpacked"])

    (tale.root / "hullmark.toml").unlink()
    assert _told(tale, "init").returncode == 0
    settings = load_settings(tale.root, {})
    assert settings.compose == ("compose.yml", "compose.test.yml")
    assert {name for name, service in settings.services if service.budget} == {
        *("crawler", "db", "platform", "proxy", "rag")
    }
    # What it proposes holds for the images that it was taken from.
    assert tale.run("validate").report["verdict"]["status"] == "clean"
    shutil.rmtree(tale.root / "trivy-reports", ignore_errors=True)
