"""`hullmark size`, `diff` and `budget` on images that are files, and on a project without an engine."""

from __future__ import annotations

import io
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from hullmark._budgets import NO_PREVIOUS, Measure, Taken
from hullmark._cli import main
from hullmark._settings import load_settings
from hullmark._settings.edit import with_values
from hullmark.errors import ConfigurationError
from hullmark.model.table import Entry, Kind
from hullmark.testing import ImageFiles, archive_of, docker_files, layer_tar

if TYPE_CHECKING:
    from hullmark._engines import Engine

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
DPKG = "/var/lib/dpkg"


def _status(version: str) -> bytes:
    return f"Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n".encode()


def _image(version: str, size: int, *, env: str = "A=1") -> ImageFiles:
    """A package of `size` bytes, a file of nobody, and one that a later layer deletes."""
    first = layer_tar(
        [
            Entry(path="/usr/bin/tool", kind=Kind.FILE, size=size, mode=0o755),
            Entry(path="/tmp/junk", kind=Kind.FILE, size=5000),  # in the image
            Entry(path="/srv/own", kind=Kind.FILE, size=300),
            Entry(path=f"{DPKG}/status", kind=Kind.FILE),
            Entry(path=f"{DPKG}/info/tool.list", kind=Kind.FILE),
        ],
        {
            "/usr/bin/tool": b"t" * size,
            "/tmp/junk": b"j" * 5000,
            "/srv/own": b"o" * 300,
            f"{DPKG}/status": _status(version),
            f"{DPKG}/info/tool.list": b"/.\n/usr\n/usr/bin\n/usr/bin/tool\n",
        },
    )
    second = layer_tar([Entry(path="/tmp/junk", kind=Kind.WHITEOUT)])
    return ImageFiles(
        layers=(first, second),
        settings={"Env": [env]},
        history=(
            {"created_by": "RUN /bin/sh -c make-it # buildkit"},
            {"created_by": "RUN /bin/sh -c rm /tmp/junk # buildkit"},
        ),
    )


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A directory with two archives, `old.tar` and `new.tar`."""
    for name, image in (("old", _image("1.0", 10_000)), ("new", _image("2.0", 60_000, env="A=2"))):
        (tmp_path / f"{name}.tar").write_bytes(archive_of(docker_files({"it:1": image})))
    return tmp_path


def _call(cwd: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    given = {
        "PATH": os.environ["PATH"],
        "HOME": "/",
        "HULLMARK_NO_CACHE": "1",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        **environ,
    }
    code = main(["-C", str(cwd), "-q", *arguments], stdout=stdout, stderr=stderr, environ=given)
    return code, stdout.getvalue(), stderr.getvalue()


def _json(cwd: Path, *arguments: str) -> Any:
    code, stdout, stderr = _call(cwd, *arguments, "--format", "json")
    assert code == 0, stderr
    document = json.loads(stdout)
    kind = document["schema"].split("/")[1]
    schema = json.loads((SCHEMAS / f"{kind}-1.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema)
    return document


def test_size_says_who_brought_the_bytes_and_what_is_hidden(images: Path) -> None:
    code, stdout, _ = _call(images, "size", f"docker-archive:{images}/old.tar")
    assert code == 0
    assert "unpacked 15.4 kB, visible 10.4 kB, masked 5.0 kB, transfer not known" in stdout
    assert "4 files and 1 masked, 8 directories, 0 links" in stdout
    assert "tool 1.0 (dpkg)" in stdout
    assert "RUN make-it" in stdout
    assert "note: what a host pulls is not known: `--transfer` estimates it" in stdout
    assert "note: equal files were not looked for: `--duplicates` does" in stdout
    assert "a squash: what later layers hide" in stdout
    assert all(len(line) <= 80 for line in stdout.splitlines()[2:])


def test_size_in_json_adds_up(images: Path) -> None:
    found = _json(images, "size", f"docker-archive:{images}/old.tar")
    size = found["size"]
    assert size["unpacked"] == size["visible"] + size["masked"]
    assert size["masked"] == found["squash"] == sum(layer["masked"] for layer in found["layers"]) == 5000
    for part in ("owners", "instructions"):
        assert sum(each["bytes"] for each in found[part]) == size["visible"]
    assert found["attributed"] == 1.0
    counts = found["counts"]
    assert sum(each["files"] for each in found["layers"]) == counts["files"] + counts["masked_files"] == 5
    for part in ("owners", "instructions"):
        assert sum(each["files"] for each in found[part]) == counts["files"] == found["paths"][0]["files"]


def test_what_came_through_a_squash_is_not_known_without_its_stage(images: Path) -> None:
    squashed = ImageFiles(
        layers=(layer_tar([Entry(path="/srv/own", kind=Kind.FILE, size=300)]),),
        history=({"created_by": "COPY / / # buildkit"},),
    )
    (images / "squashed.tar").write_bytes(archive_of(docker_files({"it:1": squashed})))
    reference = f"docker-archive:{images}/squashed.tar"
    found = _json(images, "size", reference)
    assert found["attributed"] == 0.0
    assert found["notes"][0] == (
        "layer 1 is a squash of another stage, and what wrote its 300 B is not known: `--stage-image IMAGE` names the "
        "stage"
    )
    stdout = _call(images, "size", reference)[1]
    assert f"note: {found['notes'][0]}\n" in stdout
    assert "1 file, 1 directory, 0 links\n" in stdout


def test_what_has_nothing_but_masked_files_has_no_row(images: Path) -> None:
    first = layer_tar([Entry(path=path, kind=Kind.FILE, size=9) for path in ("/gone", "/srv/own")])
    second = layer_tar([Entry(path="/gone", kind=Kind.WHITEOUT)])
    files = docker_files({"it:1": ImageFiles(layers=(first, second))})
    (images / "masked.tar").write_bytes(archive_of(files))
    stdout = _call(images, "size", f"docker-archive:{images}/masked.tar", "--by", "owner")[1]
    assert "  1  /srv (directory)\n" in stdout
    assert "  0  / (directory)" not in stdout
    owners = _json(images, "size", f"docker-archive:{images}/masked.tar")["owners"]
    assert {each["name"]: each["masked"] for each in owners} == {"/srv": 0, "/": 9}


def _stage(marker: str) -> ImageFiles:
    """A stage of a large layer, and a small one that `marker` is in."""
    return ImageFiles(
        layers=(
            layer_tar([Entry(path="/usr/lib/large", kind=Kind.FILE, size=40_000)]),
            layer_tar([Entry(path="/srv/app", kind=Kind.FILE, size=len(marker), mtime=len(marker))]),
        ),
        history=(
            {"created_by": "RUN /bin/sh -c install # buildkit"},
            {"created_by": "COPY app /srv/app # buildkit"},
        ),
    )


def _squash(marker: str) -> ImageFiles:
    """All that is in the stage, in one layer."""
    return ImageFiles(
        layers=(
            layer_tar(
                [
                    Entry(path="/usr/lib/large", kind=Kind.FILE, size=40_000),
                    Entry(path="/srv/app", kind=Kind.FILE, size=len(marker), mtime=len(marker)),
                ]
            ),
        ),
        history=({"created_by": "COPY / / # buildkit"},),
    )


@pytest.fixture
def squashes(tmp_path: Path) -> Path:
    """A directory with two versions of a squashed image, `squash1.tar` and `squash2.tar`, and their stages."""
    for version, marker in (("1", "one"), ("2", "second")):
        for name, image in (("stage", _stage(marker)), ("squash", _squash(marker))):
            (tmp_path / f"{name}{version}.tar").write_bytes(archive_of(docker_files({"it:1": image})))
    return tmp_path


def test_a_squash_is_attributed_to_the_stage_that_is_given(squashes: Path) -> None:
    image, stage = (f"docker-archive:{squashes}/{name}2.tar" for name in ("squash", "stage"))
    found = _json(squashes, "size", image, "--stage-image", stage)
    assert found["attributed"] == 1.0
    assert [(each["chain"][-1]["text"], each["bytes"]) for each in found["instructions"]] == [
        ("RUN install", 40_000),
        ("COPY app /srv/app", 6),
    ]
    assert found["update"] is None
    assert not any("squash" in note for note in found["notes"])
    code, stdout, stderr = _call(squashes, "size", stage, "--stage-image", image)
    assert (code, stdout) == (3, "")
    assert "is no squash" in stderr


def test_what_an_update_of_a_squash_takes_stands_beside_what_other_layouts_would(squashes: Path) -> None:
    images = {
        name: f"docker-archive:{squashes}/{name}.tar" for name in ("squash1", "squash2", "stage1", "stage2")
    }
    arguments = (images["squash2"], "--stage-image", images["stage2"], "--previous", images["squash1"])
    found = _json(squashes, "size", *arguments)["update"]
    assert (found["bytes"], found["compressed"], len(found["pulled"])) == (40_006, False, 1)
    assert [(each["plan"], each["bytes"], each["estimated"]) for each in found["layouts"]] == [
        ("unsquashed", 6, True),
        ("per-instruction", 6, True),
    ]
    exact = _json(squashes, "size", *arguments, "--previous-stage-image", images["stage1"])["update"]
    assert exact["layouts"][0] == found["layouts"][0] | {"estimated": False}
    stages = ("--stage-image-a", images["stage1"], "--stage-image-b", images["stage2"])
    assert _json(squashes, "diff", images["squash1"], images["squash2"], *stages)["update"] == exact
    code, stdout, _ = _call(squashes, "size", *arguments)
    assert code == 0
    assert "\nupdate from /" in stdout
    assert "40.0 kB  1 of 1 layers to pull (unpacked: compressed sizes are not known)\n" in stdout
    assert "6 B  1 of 2 layers, were it not squashed (estimated)\n" in stdout
    assert "6 B  1 of 2 layers, with one for each instruction (estimated)\n" in stdout


def test_a_report_that_was_kept_tells_what_is_pulled_and_not_what_else_there_could_be(squashes: Path) -> None:
    image, new = (f"docker-archive:{squashes}/squash{version}.tar" for version in "12")
    _, stdout, _ = _call(squashes, "size", image, "--format", "json")
    (squashes / "old.json").write_text(stdout, encoding="utf-8")
    found = _json(squashes, "size", new, "--previous", "old.json")["update"]
    assert (found["bytes"], found["layouts"]) == (40_006, [])
    _, stdout, _ = _call(squashes, "size", new, "--previous", "old.json")
    assert "what other layouts would take cannot be told" in stdout
    code, _, stderr = _call(squashes, "size", new, "--previous", "none.json")
    assert code == 3
    assert "none.json cannot be read" in stderr
    code, _, stderr = _call(squashes, "size", new, "--previous-stage-image", image)
    assert code == 2
    assert "without --previous" in stderr


def test_size_shows_what_is_asked_for(images: Path) -> None:
    _, stdout, _ = _call(images, "size", f"docker-archive:{images}/old.tar", "--by", "layer", "--top", "1")
    assert "by layer" in stdout
    assert "by owner" not in stdout
    assert "and 1 more" in stdout


def test_equal_files_are_found_where_all_bytes_are_read(images: Path) -> None:
    same = layer_tar(
        [Entry(path=f"/srv/{name}", kind=Kind.FILE, size=900) for name in "ab"],
        {"/srv/a": b"s" * 900, "/srv/b": b"s" * 900},
    )
    (images / "same.tar").write_bytes(archive_of(docker_files({"it:1": ImageFiles(layers=(same,))})))
    reference = f"docker-archive:{images}/same.tar"
    assert _json(images, "size", reference, "--duplicates")["duplicates"] == [
        {"size": 900, "paths": ["/srv/a", "/srv/b"]}
    ]
    assert _json(images, "size", reference)["duplicates"] == []
    shown = _call(images, "size", reference, "--duplicates")[1]
    told = shown[shown.index("equal files") :].splitlines()[1:3]
    assert [line.split() for line in told] == [["900", "B", "2", "/srv/a"], ["/srv/b"]]
    assert "equal files" not in _call(images, "size", reference, "--by", "path")[1].partition("note:")[0]
    other = f"docker-archive:{images}/old.tar"
    assert "no two files are equal" in _call(images, "size", other, "--duplicates")[1]


def test_of_many_equal_files_the_most_wasteful_are_named(images: Path) -> None:
    names = {f"/srv/{group}{number}": group for group in "abc" for number in range(7)}
    sizes = {"a": 10, "b": 3000, "c": 200}
    contents = {path: group.encode() * sizes[group] for path, group in names.items()}
    layer = layer_tar(
        [Entry(path=path, kind=Kind.FILE, size=len(data)) for path, data in contents.items()], contents
    )
    (images / "same.tar").write_bytes(archive_of(docker_files({"it:1": ImageFiles(layers=(layer,))})))
    shown = _call(images, "size", f"docker-archive:{images}/same.tar", "--duplicates", "--top", "2")[1]
    told = [line.strip() for line in shown[shown.index("equal files") :].splitlines()[1:]]
    assert told[:7] == [
        "18.0 kB       7  /srv/b0",
        *(f"/srv/b{number}" for number in range(1, 5)),
        "and 2 more",
        "1.2 kB       7  /srv/c0",
    ]
    assert told[12] == "and 1 more with 60 B"


def test_an_image_that_is_not_there_is_told(images: Path) -> None:
    code, stdout, stderr = _call(images, "size", "docker-archive:none.tar")
    assert (code, stdout) == (3, "")
    assert "none.tar" in stderr
    code, _, stderr = _call(images, "size", "some-image")
    assert code == 3
    assert "no Docker engine answers" in stderr


def test_diff_says_first_why_it_grew(images: Path) -> None:
    code, stdout, _ = _call(
        images, "diff", f"docker-archive:{images}/old.tar", f"docker-archive:{images}/new.tar"
    )
    assert code == 0
    assert (
        stdout.splitlines()[0]
        == "Its visible size grew by 50.0 kB: tool 1.0 -> 2.0 (dpkg) +50.0 kB through `RUN make-it`."
    )
    assert "Env.A: 1 -> 2" in stdout
    assert "/usr/bin/tool" in stdout


def test_diff_with_itself_finds_nothing(images: Path) -> None:
    reference = f"docker-archive:{images}/old.tar"
    found = _json(images, "diff", reference, reference)
    assert (found["owners"], found["files"], found["settings"]) == ([], [], [])
    assert "\nnothing changed\n" in _call(images, "diff", reference, reference)[1]


def test_diff_takes_a_report_that_was_kept(images: Path) -> None:
    _, stdout, _ = _call(images, "size", f"docker-archive:{images}/old.tar", "--format", "json")
    (images / "old.json").write_text(stdout, encoding="utf-8")
    found = _json(images, "diff", "old.json", f"docker-archive:{images}/new.tar")
    (owner,) = found["owners"]
    assert (owner["name"], owner["bytes_after"] - owner["bytes_before"]) == ("tool", 50_000)
    assert found["files"] is None
    assert found["settings"] == [{"name": "Env.A", "before": "1", "after": "2"}]
    assert "Env.A: 1 -> 2" in _call(images, "diff", "old.json", f"docker-archive:{images}/new.tar")[1]
    # One of an earlier version has no configuration.
    report = json.loads(stdout)
    del report["settings"]
    (images / "older.json").write_text(json.dumps(report), encoding="utf-8")
    assert _json(images, "diff", "older.json", f"docker-archive:{images}/new.tar")["settings"] is None


def test_a_report_that_was_kept_has_no_secrets_of_the_configuration(tmp_path: Path) -> None:
    token = "s3cr3t-s3cr3t-s3cr3t"  # nobody's
    for name, env in (("old", f"API_TOKEN={token}"), ("new", f"API_TOKEN={token[::-1]}"), ("none", "A=1")):
        image = archive_of(docker_files({"it:1": _image("1.0", 10, env=env)}))
        (tmp_path / f"{name}.tar").write_bytes(image)
    _, stdout, _ = _call(tmp_path, "size", f"docker-archive:{tmp_path}/old.tar", "--format", "json")
    (tmp_path / "old.json").write_text(stdout, encoding="utf-8")
    assert token not in stdout
    assert _json(tmp_path, "diff", "old.json", f"docker-archive:{tmp_path}/old.tar")["settings"] == []
    (token_changed,) = _json(tmp_path, "diff", "old.json", f"docker-archive:{tmp_path}/new.tar")["settings"]
    assert token_changed == {"name": "Env.API_TOKEN", "before": "s3cr...3t", "after": "t3rc...3s"}
    archives = (f"docker-archive:{tmp_path}/old.tar", f"docker-archive:{tmp_path}/none.tar")
    whole = _json(tmp_path, "diff", *archives)["settings"]
    assert [each["name"] for each in whole] == ["Env.A", "Env.API_TOKEN"]
    assert _json(tmp_path, "diff", "old.json", archives[1])["settings"] == whole


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("nothing", 2, "not a report of hullmark"),
        ("{}", 2, "no JSON report of hullmark"),
        ('{"schema": "hullmark/size/1"}', 2, "not a report of hullmark"),
        (
            '{"schema": "hullmark/size/1", "reference": "a", "size": {"unpacked": -5}, "layers": []}',
            2,
            ">= 0",
        ),
        ('{"schema": "hullmark/report/1", "images": {}}', 2, "tells of no image"),
        ('{"schema": "hullmark/report/1", "images": {"a": {}, "b": {}}}', 2, "tells of 2 images"),
    ],
)
def test_a_file_that_is_no_report_is_told(images: Path, text: str, code: int, message: str) -> None:
    (images / "x.json").write_text(text, encoding="utf-8")
    found, _, stderr = _call(images, "diff", "x.json", f"docker-archive:{images}/new.tar")
    assert found == code
    assert message in stderr


def test_budgets_need_images(images: Path) -> None:
    (images / "compose.yml").write_text("services: {web: {build: .}, db: {image: x}}\n", encoding="utf-8")
    code, stdout, stderr = _call(images, "budget", "show")
    assert (code, stdout) == (3, "")
    assert "no Docker engine answers" in stderr
    code, _, stderr = _call(images, "budget", "update", "db")
    assert code == 2
    assert "builds no image" in stderr


@pytest.mark.parametrize(
    ("file", "tables"),
    [
        ("hullmark.toml", '`[services.web]` and `[services."d.b"]`'),
        ("pyproject.toml", '`[tool.hullmark.services.web]` and `[tool.hullmark.services."d.b"]`'),
    ],
)
def test_a_budget_of_updates_without_a_previous_image_says_where_to_name_it(
    images: Path, monkeypatch: pytest.MonkeyPatch, file: str, tables: str
) -> None:
    found = [
        Taken(service=name, measure=Measure.UPDATE, budget=None, size=None, unknown=unknown)
        for name, unknown in (("web", NO_PREVIOUS), ("d.b", NO_PREVIOUS), ("c", "else"))
    ]
    monkeypatch.setattr("hullmark._cli.budget.measure", lambda *_: found)
    (images / "compose.yml").write_text("services: {web: {build: .}}\n", encoding="utf-8")
    (images / file).write_text("[tool.hullmark]\n" if file == "pyproject.toml" else "", encoding="utf-8")
    code, _, stderr = _call(images, "budget", "update", "--for", "update")
    assert code == 3
    assert "web: update is not known: `previous` is not set" in stderr
    said = f'no budget was changed; set `previous = "..."`, the image that hosts have, under {tables}'
    assert said in " ".join(stderr.split())


def test_a_value_is_changed_and_nothing_else(tmp_path: Path) -> None:
    text = '# mine\n[services.web] # web\nuser = "non-root"\nbudget = "1 MB" # tight\n\n[[links]]\nfrom = "a"\nto = "http://b/"\n'
    after = with_values(
        text, "hullmark.toml", {("services", "web", "budget"): "2 MB", ("services", "db", "budget"): "3 MB"}
    )
    assert after.startswith('# mine\n[services.web] # web\nuser = "non-root"\nbudget = "2 MB" # tight\n\n')
    (tmp_path / "hullmark.toml").write_text(after, encoding="utf-8")
    settings = load_settings(tmp_path, {})
    sizes = {name: service.budget.size for name, service in settings.services if service.budget}
    assert sizes == {"web": 2_000_000, "db": 3_000_000}
    assert with_values("", "hullmark.toml", {("services", "db", "budget"): "3 MB"}).strip() == (
        '[services.db]\nbudget = "3 MB"'
    )


def test_a_file_that_cannot_be_changed_is_told() -> None:
    for text in ("[", "services = 1\n", 'services = {web = "x"}\n'):
        with pytest.raises(ConfigurationError, match=r"hullmark\.toml: cannot be changed"):
            with_values(text, "hullmark.toml", {("services", "web", "budget"): "2 MB"})


def _python_image(*lines: str) -> bytes:
    """An archive of an image with distributions, each given as its name and what it requires."""
    site, contents = "/usr/lib/python3/dist-packages", dict[str, bytes]()
    for line in lines:
        name, *requires = line.split()
        directory = f"{site}/{name}-1.dist-info"
        described = "".join(f"Requires-Dist: {each}\n" for each in requires)
        contents[f"{directory}/METADATA"] = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{described}".encode()
        )
        contents[f"{directory}/RECORD"] = f"{name}/__init__.py,,\n".encode()
        contents[f"{site}/{name}/__init__.py"] = b"#" * 9000
    layer = layer_tar(
        [Entry(path=path, kind=Kind.FILE, size=len(data)) for path, data in contents.items()], contents
    )
    return archive_of(docker_files({"it:1": ImageFiles(layers=(layer,))}))


def test_of_a_package_it_is_said_what_requires_it(images: Path) -> None:
    (images / "old.tar").write_bytes(_python_image("app"))
    (images / "new.tar").write_bytes(_python_image("app web", "web lib", "lib deep", "deep last", "last"))
    reference = f"docker-archive:{images}/new.tar"
    found = _json(images, "size", reference)
    ways = {each["name"]: each["why"] for each in found["owners"] if each["kind"] == "python"}
    assert ways["lib"] == ["app", "web", "lib"]
    assert ways["app"] == ["app"]
    shown = _call(images, "size", reference, "--by", "owner")[1].splitlines()
    assert [line.split("  ")[-1] for line in shown if "(python)" in line] == [
        "app 1 (python)",
        "deep 1 (python) for app -> web -> lib",
        "last 1 (python) for app -> ... -> deep",
        "lib 1 (python) for app -> web",
        "web 1 (python) for app",
    ]
    both = (f"docker-archive:{images}/old.tar", reference)
    diff = _json(images, "diff", *both)
    assert {each["name"]: each["why"] for each in diff["owners"] if each["kind"] == "python"} == {
        name: why for name, why in ways.items() if name != "app"
    }
    text = _call(images, "diff", *both)[1]
    assert "deep 1 (python for app -> web -> lib) +9" in text.splitlines()[0]
    assert "deep 1 (python) added for app -> web -> lib" in text
    # A report that was kept tells it as well.
    kept = _call(images, "size", reference, "--format", "json")[1]
    (images / "new.json").write_text(kept, encoding="utf-8")
    again = _json(images, "diff", both[0], "new.json")
    assert {each["name"]: each["why"] for each in again["owners"]}["lib"] == ["app", "web", "lib"]


@pytest.mark.parametrize("given", ["foo", "linux/arm/x"])
@pytest.mark.parametrize(
    "command", [("size", "docker-archive:it"), ("diff", "a", "b"), ("sbom", "--from", "it")]
)
def test_a_platform_that_is_none_is_refused(tmp_path: Path, command: tuple[str, ...], given: str) -> None:
    code, stdout, stderr = _call(tmp_path, *command, "--platform", given)
    assert (code, stdout) == (2, "")
    assert f"`{given}` is no platform" in stderr


def test_a_report_that_is_not_there_is_no_image(tmp_path: Path) -> None:
    code, _, stderr = _call(tmp_path, "diff", "none.json", "docker:it")
    assert code == 2
    assert "there is no report `none.json`" in stderr


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
def test_a_service_that_is_misspelt_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {shipyard: {build: .}, crane: {image: nobody/has-it}}\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    host = {"DOCKER_HOST": os.environ["DOCKER_HOST"]} if "DOCKER_HOST" in os.environ else {"DOCKER_HOST": ""}
    code, _, stderr = _call(tmp_path, "size", "shipyrad", **host)
    assert code == 2
    assert (
        "no service `shipyrad` in the project; did you mean `shipyard`? (services: crane, shipyard)" in stderr
    )
    assert "the engine has no image `shipyrad`" in stderr
    code, _, stderr = _call(tmp_path, "size", "hullmark-test-none", **host)
    assert code == 3
    assert "no service `hullmark-test-none` in the project (services: crane, shipyard)" in stderr
    assert "docker pull hullmark-test-none" in stderr
    # What can be no service is asked of the engine alone.
    code, _, stderr = _call(tmp_path, "size", "hullmark-test/none:1", **host)
    assert code == 3
    assert "the engine has no image `hullmark-test/none:1`" in stderr
    assert "service" not in stderr


@pytest.mark.docker
def test_a_squash_that_a_service_here_builds_is_better_asked_for_by_the_service(
    tmp_path: Path, engine: Engine
) -> None:
    name = f"hullmark-test-{secrets.token_hex(6)}"
    (tmp_path / "compose.yml").write_text(
        f"services: {{crane: {{image: '{name}:2'}}, shop: {{build: ., image: {name}}}}}\n"
    )
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    host = {"DOCKER_HOST": os.environ.get("DOCKER_HOST", "")}
    names = [f"{name}:latest", f"{name}:2"]
    engine.client.images.load(archive_of(docker_files({each: _squash("one") for each in names}, legacy=True)))
    try:
        for given in (f"docker:{name}", f"docker.io/library/{name}:latest"):
            code, stdout, stderr = _call(tmp_path, "size", given, **host)
            assert code == 0, stderr
            assert (
                "not known: `hullmark size shop` looks it up in its stage; else `--stage-image IMAGE`"
                in stdout
            )
        stdout = _call(tmp_path, "size", f"docker:{name}:2", **host)[1]
        assert "not known: `--stage-image IMAGE` names the stage\n" in stdout
    finally:
        for each in names:
            engine.client.images.remove(each, force=True)
