"""scripts/base-images against fake programs: which way each image is obtained, and what is left behind."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

Sandbox = Any  # defined in conftest.py, which --import-mode=importlib keeps out of reach

BOTH = ["debian:bookworm-slim", "debian:trixie-slim"]

# Images are files in $FAKE: local/NAME is there, pullable/NAME can be pulled. An import keeps its tar file.
DOCKER = """
image=${!#}
file=${image//[:\\/]/_}
case "$1 ${2-}" in
"version --format") cat "$FAKE/engine" 2>/dev/null ;;
"image inspect") [[ -e $FAKE/local/$file ]] ;;
pull*)
    [[ -e $FAKE/pullable/$file ]] || exit 1
    sleep "$(cat "$FAKE/pullable/$file")"
    mv "$FAKE/pullable/$file" "$FAKE/local/$file"
    ;;
import*)
    for argument; do [[ $argument != *.tar ]] || cp "$argument" "$FAKE/local/$file"; done
    ;;
*) exit 64 ;;
esac
"""

# The tar file holds what a bootstrap would be configured with: the sources, and the files that are laid over it.
MMDEBSTRAP = """
arguments=("$@")
sources=${arguments[-1]} target=${arguments[-2]} codename=${arguments[-3]}
echo "$TMPDIR" >>"$FAKE/tmpdirs"
if [[ -e $FAKE/fails && $codename == "$(<"$FAKE/fails")" ]]; then echo "E: $codename is away"; exit 1; fi
if [[ -e $FAKE/hangs ]]; then
    trap 'sleep 0.3; echo "$codename unmounted" >>"$FAKE/unmounted"; exit 1' TERM
    echo "$codename" >>"$FAKE/running"
    while :; do sleep 0.05; done
fi
mkdir -p "$TMPDIR/root/etc/apt/sources.list.d"
cd "$TMPDIR/root"
cp "$sources" "etc/apt/sources.list.d/0000${sources##*/}"
for argument; do
    case $argument in
    --customize-hook=*) sh -euc "${argument#*=}" hook "$TMPDIR/root" ;;
    esac
done
tar -cf "$target" .
"""


@pytest.fixture
def images(sandbox: Sandbox) -> Sandbox:
    """Run an engine that has no image, beside a bootstrap that works."""
    sandbox.answers(engine="26.1.5")
    sandbox.program("docker", DOCKER)
    sandbox.program("mmdebstrap", MMDEBSTRAP)
    for name in ("local", "pullable"):
        (sandbox.fake / name).mkdir()
    return sandbox


def put(sandbox: Sandbox, where: str, image: str, text: str = "0") -> None:
    """Make an image local or pullable."""
    (sandbox.fake / where / image.replace(":", "_")).write_text(text, encoding="utf-8")


def leftovers(sandbox: Sandbox) -> list[str]:
    """Say what is left among the temporary files."""
    return [entry.name for entry in sandbox.tmp.iterdir()]


def test_local_images_are_left_alone(images: Sandbox) -> None:
    for image in BOTH:
        put(images, "local", image)
    result = images.run("base-images")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"{image}: local" for image in BOTH]
    assert not [call for call in images.calls("docker") if call.startswith(("pull", "import"))]
    assert not images.calls("apt-get")


def test_what_can_be_pulled_is_pulled(images: Sandbox) -> None:
    put(images, "local", BOTH[0])
    put(images, "pullable", BOTH[1])
    result = images.run("base-images")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [f"{BOTH[0]}: local", f"{BOTH[1]}: pulled"]
    assert not images.calls("mmdebstrap")


def test_a_pull_that_takes_too_long_is_given_up(images: Sandbox) -> None:
    put(images, "pullable", BOTH[1], "60")
    started = time.monotonic()
    result = images.run("base-images", BOTH[1], HULLMARK_BASE_PULL_SECONDS="0.3")
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{BOTH[1]}: bootstrapped\n"
    assert time.monotonic() - started < 30


def test_without_an_engine_it_says_how_to_get_one(images: Sandbox) -> None:
    images.answers(engine=None)
    result = images.run("base-images")
    assert result.returncode == 3
    assert result.stderr == "base-images: no engine answers; run scripts/engine up\n"


@pytest.mark.parametrize(
    "name", ["alpine:3", "debian:bookworm", "debian:../x-slim", "s390x/debian:trixie-slim", "--help"]
)
def test_other_names_are_usage_errors(images: Sandbox, name: str) -> None:
    result = images.run("base-images", name)
    assert result.returncode == 2
    assert "usage: scripts/base-images" in result.stderr
    assert not [call for call in images.calls("docker") if call.startswith("pull")]


@pytest.mark.parametrize(("user", "system"), [("1000", "debian"), ("0", "fedora")])
def test_elsewhere_one_sentence_names_what_is_missing(images: Sandbox, user: str, system: str) -> None:
    images.program("id", f"echo {user}")
    (images.root / "os-release").write_text(f"ID={system}\n", encoding="utf-8")
    put(images, "local", BOTH[0])
    result = images.run("base-images")
    assert result.returncode == 3
    (sentence,) = result.stderr.splitlines()
    assert f"cannot pull {BOTH[1]};" in sentence
    assert BOTH[0] not in sentence
    assert not images.calls("mmdebstrap")
    assert leftovers(images) == []


def test_the_rest_is_bootstrapped_and_nothing_else_is_left(images: Sandbox) -> None:
    result = images.run("base-images")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [f"{image}: bootstrapped" for image in BOTH]
    imports = sorted(call for call in images.calls("docker") if call.startswith("import"))
    assert [call.split()[-1] for call in imports] == BOTH
    for call in imports:
        assert '--change CMD ["bash"]' in call
        assert "--change LABEL io.hullmark.base=bootstrapped" in call
        assert "--change ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" in call
    assert [call for call in images.calls("apt-get") if not call.startswith("indextargets")] == []
    assert leftovers(images) == []


def test_an_image_of_another_platform_is_bootstrapped_for_it_under_the_name_that_the_hub_has_for_it(
    images: Sandbox,
) -> None:
    result = images.run("base-images", BOTH[0], f"arm64v8/{BOTH[0]}")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [f"{BOTH[0]}: bootstrapped", f"arm64v8/{BOTH[0]}: bootstrapped"]
    imports = {call.split()[-1]: call for call in images.calls("docker") if call.startswith("import")}
    assert imports[f"arm64v8/{BOTH[0]}"].startswith("import --platform linux/arm64 ")
    assert "--platform" not in imports[BOTH[0]]
    foreign = [call for call in images.calls("mmdebstrap") if "--architectures=arm64" in call]
    assert len(foreign) == 1
    assert " bookworm " in foreign[0]
    assert leftovers(images) == []


def test_the_image_is_configured_like_the_official_one(images: Sandbox) -> None:
    import tarfile

    assert images.run("base-images", BOTH[1]).returncode == 0
    with tarfile.open(images.fake / "local" / "debian_trixie-slim") as tar:
        text = {
            member.name.removeprefix("./"): extracted.read().decode()
            for member in tar.getmembers()
            if member.isfile() and (extracted := tar.extractfile(member))
        }
        assert tar.getmember("./usr/sbin/policy-rc.d").mode == 0o755
    assert sorted(text) == [
        "etc/apt/apt.conf.d/docker-autoremove-suggests",
        "etc/apt/apt.conf.d/docker-clean",
        "etc/apt/apt.conf.d/docker-gzip-indexes",
        "etc/apt/apt.conf.d/docker-no-languages",
        "etc/apt/sources.list.d/debian.sources",
        "etc/dpkg/dpkg.cfg.d/docker",
        "etc/dpkg/dpkg.cfg.d/docker-apt-speedup",
        "usr/sbin/policy-rc.d",
    ]
    sources = text["etc/apt/sources.list.d/debian.sources"]
    assert [line for line in sources.splitlines() if line.startswith(("URIs", "Suites"))] == [
        "URIs: http://mirror.example/debian/",
        "Suites: trixie",
        "URIs: http://mirror.example/debian/",
        "Suites: trixie-updates",
        "URIs: http://mirror.example/debian-security/",
        "Suites: trixie-security",
    ]
    assert "hunter2" not in str(text)
    excludes = text["etc/dpkg/dpkg.cfg.d/docker"].splitlines()
    assert excludes[:2] == ["path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright"]
    (call,) = images.calls("mmdebstrap")
    assert all(f"--dpkgopt={option}" in call for option in excludes)


def test_one_failure_shows_its_log_and_does_not_cost_the_other_image(images: Sandbox) -> None:
    (images.fake / "fails").write_text("trixie", encoding="utf-8")
    result = images.run("base-images")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [f"{BOTH[0]}: bootstrapped", f"{BOTH[1]}: failed"]
    assert "mmdebstrap failed:" in result.stderr
    assert "    E: trixie is away" in result.stderr
    assert not (images.fake / "local" / "debian_trixie-slim").exists()
    assert leftovers(images) == []


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_an_interrupted_bootstrap_unmounts_before_its_files_are_removed(
    images: Sandbox, sent: signal.Signals, status: int
) -> None:
    (images.fake / "hangs").touch()
    running, unmounted = images.fake / "running", images.fake / "unmounted"
    process = images.start("base-images")
    while process.poll() is None and (not running.exists() or len(running.read_text().split()) < len(BOTH)):
        time.sleep(0.02)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert len(unmounted.read_text(encoding="utf-8").splitlines()) == len(BOTH)
    assert leftovers(images) == []
    assert not list((images.fake / "local").iterdir())
