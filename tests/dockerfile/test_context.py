"""What a build takes out of its context: how much, what of it by accident, and what the manifests in it declare."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._dockerfile import measure, parse

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.context import Context


def _measured(root: Path, text: str, files: dict[str, str], **arguments: Any) -> Context:
    for name, content in ({"Dockerfile": text} | files).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return measure(
        parse(text, "Dockerfile").recipe(), root, context=root, dockerfile=root / "Dockerfile", **arguments
    )


FILES = {
    ".dockerignore": "*.md\n!keep.md\n",
    ".git/HEAD": "ref",
    ".env": "A=1",
    "keep.md": "k" * 10,
    "other.md": "o" * 1000,
    "src/app.py": "a" * 100,
    "src/node_modules/x/index.js": "x" * 1000,
    "src/node_modules/x/.env": "X=1",
    "src/__pycache__/app.pyc": "p" * 50,
}


def test_all_that_is_taken_is_counted_and_what_is_there_by_accident_apart(tmp_path: Path) -> None:
    context = _measured(tmp_path, "FROM scratch\nCOPY . /\n", FILES)
    assert [(each.path, each.pattern, each.bytes, each.files) for each in context.strays] == [
        (".env", "**/.env*", 3, 1),
        (".git", ".git", 3, 1),
        ("src/__pycache__", "**/__pycache__", 50, 1),
        ("src/node_modules", "**/node_modules", 1003, 2),
    ]
    assert {str(each.because) for each in context.strays} == {"COPY at Dockerfile:2"}
    assert str(context.whole) == "COPY at Dockerfile:2"
    assert (context.ignore_file, context.ignored) == (".dockerignore", True)


def test_only_what_instructions_take_counts(tmp_path: Path) -> None:
    context = _measured(
        tmp_path, "FROM scratch\nCOPY src/app.py keep.md /\nCOPY src/node_modules/x /x/\n", FILES
    )
    assert (context.bytes, context.files) == (100 + 10 + 1003, 4)
    assert context.strays == ()
    assert context.whole is None


@pytest.mark.parametrize(
    ("ignore", "seen"),
    [
        ("Dockerfile.dockerignore", ("Dockerfile.dockerignore", True)),
        (".dockerignore", (".dockerignore", True)),
        ("x", (".dockerignore", False)),
    ],
)
def test_the_ignore_file_that_counts_is_named_and_where_there_is_none_the_one_to_write(
    tmp_path: Path, ignore: str, seen: tuple[str, bool]
) -> None:
    context = _measured(tmp_path, "FROM scratch\nCOPY . /\n", {ignore: ""})
    assert (context.ignore_file, context.ignored) == seen


def test_build_arguments_decide_what_is_taken(tmp_path: Path) -> None:
    text = "FROM scratch\nARG WHAT=src\nCOPY $WHAT /\n"
    assert _measured(tmp_path, text, FILES).bytes > 1000
    assert _measured(tmp_path, text, FILES, args={"WHAT": "keep.md"}).bytes == 10


MANIFESTS = {
    "package.json": json.dumps({"dependencies": {"b": "1", "@s/a": "2"}, "devDependencies": {"c": "1"}}),
    "pyproject.toml": '[project]\ndependencies = ["Flask[async] >= 3", "x@ https://example.com/x.whl"]\n'
    '[tool.poetry.dependencies]\npython = "^3.11"\nrequests = "*"\n',
    "requirements/base.txt": "-r other.txt\n# words\nidna==3.10 \\\n    --hash=sha256:0\n./local\nA.b-c ; x\n\ngit+https://x/y\n",
    "requirements-dev.txt": "pytest\n",
    "node_modules/z/package.json": json.dumps({"dependencies": {"never": "1"}}),
    "broken/package.json": "{",
    "odd/package.json": '{"dependencies": []}',
    "odd/pyproject.toml": "project = 1\n",
    "notes.txt": "words\n",
}


def test_manifests_say_what_they_declare(tmp_path: Path) -> None:
    context = _measured(tmp_path, "FROM scratch\nCOPY . /\n", MANIFESTS)
    assert [(each.path, each.kind, each.names) for each in context.manifests] == [
        ("package.json", "npm", ("@s/a", "b")),
        ("pyproject.toml", "python", ("Flask", "requests", "x")),
        ("requirements/base.txt", "python", ("A.b-c", "idna")),
    ]


def test_a_manifest_that_nothing_takes_declares_nothing(tmp_path: Path) -> None:
    assert _measured(tmp_path, "FROM scratch\nCOPY odd /\n", MANIFESTS).manifests == ()


@pytest.mark.docker
def test_it_is_as_much_as_the_builder_puts_into_the_image(tmp_path: Path) -> None:
    context = _measured(tmp_path, "FROM scratch\nCOPY . /\n", FILES)
    argv = ("docker", "buildx", "build", "--quiet", "--output", "type=tar,dest=-", str(tmp_path))
    done = subprocess.run(argv, check=True, capture_output=True, timeout=120)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        sizes = [member.size for member in archive if member.isfile()]
    assert (context.bytes, context.files) == (sum(sizes), len(sizes))


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("idna", True),
        ("idna>=3,<4 ; python_version >= '3' # why", True),
        ("idna[all,more] ~= 3.1", True),
        ("idna==3.10 \\\n    --hash=sha256:ab12 \\\n    --hash=sha256:cd34", True),
        ("# -e .", True),
        ("./idna", False),
        (".", False),
        ("idna.whl/", False),
        ("-e .", False),
        ("-r other.txt", False),
        ("--find-links wheels", False),
        ("idna @ file:///app/idna", False),
        ("idna --config-settings=a=./b", False),
        ("${NAME}", False),
    ],
)
def test_a_list_is_plain_when_it_names_packages_and_nothing_else(
    tmp_path: Path, line: str, *, plain: bool
) -> None:
    files = {"requirements.txt": f"flask==3.0.*\n\n{line}\n"}
    (manifest,) = _measured(tmp_path, "FROM scratch\nCOPY . /\n", files).manifests
    assert manifest.plain is plain
