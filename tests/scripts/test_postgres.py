"""scripts/postgres against fake programs: which server is taken, and how one is provided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from typing import Any

# It installs as apt does, and notes whether it was told to make no cluster before.
APT = """
provide() { mkdir -p "$1" && install -m 755 /dev/null "$1/initdb" && install -m 755 /dev/null "$1/postgres"; }
case "$*" in
indextargets*) echo "Debian main bookworm http://mirror.example/debian/" ;;
*" postgresql-common") mkdir -p "$HULLMARK_POSTGRES_COMMON" ;;
*" postgresql") cp "$HULLMARK_POSTGRES_COMMON/createcluster.conf" "$FAKE/told"; provide "$HULLMARK_POSTGRES_VERSIONS/15/bin" ;;
*) exit 64 ;;
esac
"""


@pytest.fixture
def debian(sandbox: Any) -> Any:
    """Make apt answer as on Debian, without any PostgreSQL."""
    sandbox.environment["HULLMARK_POSTGRES_VERSIONS"] = str(sandbox.root / "versions")
    sandbox.environment["HULLMARK_POSTGRES_COMMON"] = str(sandbox.root / "common")
    sandbox.program("apt-get", APT)
    return sandbox


def test_the_newest_that_is_installed_is_taken(debian: Any) -> None:
    for version in ("9.6", "15", "17"):
        directory = debian.root / "versions" / version / "bin"
        directory.mkdir(parents=True)
        # Of the newest, only clients are there.
        for program in ("initdb", "postgres") if version != "17" else ():
            (directory / program).touch(mode=0o755)
    result = debian.run("postgres")
    assert (result.returncode, result.stdout) == (0, f"{debian.root}/versions/15/bin\n")
    assert debian.calls("apt-get") == []


def test_debian_s_is_installed_once_and_makes_no_cluster(debian: Any) -> None:
    running = [debian.start("postgres") for _ in range(3)]
    for process in running:
        out, said = process.communicate(timeout=120)
        assert (process.returncode, out) == (0, f"{debian.root}/versions/15/bin\n"), said
    assert sum(call.endswith(" postgresql") for call in debian.calls("apt-get")) == 1
    assert (debian.fake / "told").read_text("utf-8") == "create_main_cluster = false\n"


def test_on_another_distribution_it_says_what_to_install(debian: Any) -> None:
    (debian.root / "os-release").write_text("ID=fedora\n", encoding="utf-8")
    result = debian.run("postgres")
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == "postgres: install postgresql (done here only on Debian, as root)\n"
