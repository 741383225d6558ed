"""The documented configuration loads, and the published schema says what the loader says."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators

from hullmark._settings import load_settings
from hullmark._settings.load import _Source, _table
from hullmark._settings.options import SCHEMA
from hullmark._settings.schema import settings_schema
from hullmark.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._settings.kinds import Alternative, Kind, Option, Table

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/configuration.md").read_text("utf-8")
EXAMPLE = next(
    block for block in re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL) if "[project]" in block
)
PROBES = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/probes.md").read_text("utf-8"), re.DOTALL)


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    # In ECMA-262, whose regular expressions JSON Schema has, `$` is the end and not the last line's end.
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


Validator: Any = validators.extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
VALIDATOR = Validator(settings_schema(), format_checker=FormatChecker())


def _json(value: Any) -> Any:
    """A TOML value as editors hand it to a JSON Schema."""
    match value:
        case dict():
            return {key: _json(item) for key, item in value.items()}
        case list():
            return [_json(item) for item in value]
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return value


def _problems(document: dict[str, Any]) -> list[str]:
    source = _Source(name="hullmark.toml", root=ROOT)
    _table(SCHEMA, document, (), source)
    return [text for _, _, text in source.problems]


def _options(table: Table, path: str = "") -> Iterator[tuple[str, Option]]:
    for option in table.options:
        yield f"{path}{option.key}", option
    for child in table.tables:
        yield from _options(child, f"{path}{child.key}.")


OPTIONS = list(_options(SCHEMA))


def _named(value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The option of each value in a document; names that are the user's become `*`."""
    name = ".".join(path)
    match value:
        case _ if name in dict(OPTIONS):
            yield name
        case dict():
            for key, item in value.items():
                yield from _named(item, (*path, "*" if path == ("services",) else key))
        case list():
            for item in value:
                yield from _named(item, path)
        case _:
            yield name


# A busy machine is no finding.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_documented_example_loads(tmp_path: Path) -> None:
    (tmp_path / "hullmark.toml").write_text(EXAMPLE, encoding="utf-8")
    settings = load_settings(tmp_path, {})
    assert settings.policy.fail_on.name == "WARNING"
    assert {name for name, _ in settings.services} == {"db", "rag", "proxy"}
    assert len(settings.links) == 3


def test_the_documented_examples_have_every_option() -> None:
    named = {name for text in (EXAMPLE, *PROBES) for name in _named(tomllib.loads(text))}
    options = dict(OPTIONS)
    assert named <= set(options)
    # What a step has in common with a probe need not be shown twice.
    shown = {id(option) for path, option in OPTIONS if path in named}
    assert [path for path, option in OPTIONS if path not in named and id(option) not in shown] == []


@pytest.mark.parametrize("number", range(len(PROBES)))
def test_the_documented_probes_load(tmp_path: Path, number: int) -> None:
    (tmp_path / "hullmark.toml").write_text(PROBES[number], encoding="utf-8")
    settings = load_settings(tmp_path, {})
    assert settings.forbidden_logs or any(each.probes or each.logs for _, each in settings.services)


def test_the_documented_mistake_is_told_as_documented(tmp_path: Path) -> None:
    (tmp_path / "hullmark.toml").write_text('[services.rag]\nbugdet = "600 MB"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(tmp_path, {})
    assert f"```text\n{caught.value.message}\n```" in DOCUMENT


def test_every_variable_of_the_environment_is_documented() -> None:
    variables = [option.environment for _, option in OPTIONS if option.environment]
    assert len(set(variables)) == len(variables) > 0
    assert not [name for name in variables if f"`{name}`" not in DOCUMENT]


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=[path for path, _ in OPTIONS])
def test_the_example_of_an_option_is_a_value_that_it_takes(path: str, option: Option) -> None:
    assert option.help.endswith("."), path
    if option.example:
        option.kind.read(tomllib.loads(f"x = {option.example}")["x"])


@pytest.mark.parametrize(
    "text",
    [EXAMPLE, (ROOT / "examples/tale/hullmark.toml").read_text("utf-8"), "", *PROBES],
    ids=["docs", "tale", "empty", *(f"probes{number}" for number in range(len(PROBES)))],
)
def test_the_schema_takes_what_is_known_to_be_right(text: str) -> None:
    VALIDATOR.validate(_json(tomllib.loads(text)))


def test_the_schema_describes_every_option() -> None:
    text = json.dumps(settings_schema())
    for path, option in OPTIONS:
        assert json.dumps(option.help)[1:-1].rstrip(".") in text, path


def _with_probe(**probe: Any) -> dict[str, Any]:
    return {"services": {"rag": {"probes": [probe]}}}


@pytest.mark.parametrize(
    "document",
    [
        {"projcet": {}},
        {"project": {"compose": "compose.yml"}},
        {"project": []},
        {"policy": {"fail-on": "never"}},
        {"services": {"rag": {"budget": "600"}}},
        {"services": {"rag": {"budget": "0 MB"}}},
        {"services": {"rag": {"bugdet": "600 MB"}}},
        {"services": {"rag": {"user": "drops-to:"}}},
        {"services": {"rag": {"probes": {"tcp": 1}}}},
        {"smoke": {"timeout": "0 s"}},
        {"smoke": {"timeout": ""}},
        {"links": [{"from": "a"}]},
        {"links": [{"from": "a", "to": "tcp://db"}]},
        {"links": [{"from": "a", "to": "http://db:70000/"}]},
        {"links": [{"from": "a", "to": "ftp://db/"}]},
        {"ignore": {"findings": [{"rule": "root-user"}]}},
        _with_probe(),
        _with_probe(http="/"),
        _with_probe(http="health", port=1),
        _with_probe(http="/", port=0),
        _with_probe(http="/", port=1, tcp=2),
        _with_probe(tcp=2, exec=["a"]),
        _with_probe(tcp=2, port=2),
        _with_probe(exec=["a"], expect={"status": 200}),
        _with_probe(exec=[]),
        _with_probe(http="/", port=1, expect={"status": 99}),
        _with_probe(http="/", port=1, expect={"rows": 1}),
        _with_probe(http="/", port=1, skip=["/a"]),
        _with_probe(http="/", port=1, headers={"a b": "c"}),
        _with_probe(http="/", port=1, headers={"a": "b\nc"}),
        _with_probe(http="/", port=1, expect={"json": [{"path": "$"}]}),
        _with_probe(http="/", port=1, expect={"json": [{"path": "$", "exists": True, "equals": 1}]}),
        _with_probe(openapi="/"),
        _with_probe(log="["),
        _with_probe(log="a", expect={"text": "b"}),
        _with_probe(steps=[]),
        _with_probe(steps=[{"exec": ["a"], "port": 1}]),
        _with_probe(steps=[{"http": "/", "port": 1}], port=1),
        {"services": {"rag": {"logs": [{}]}}},
        {"smoke": {"forbidden-logs": ["["]}},
    ],
    ids=str,
)
def test_schema_and_loader_refuse_the_same_mistakes(document: dict[str, Any]) -> None:
    assert len(_problems(document)) == 1
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    "probe",
    [
        {"http": "/", "port": 1, "tls": "off", "method": "GET", "expect": {"status": 200}, "timeout": "1 s"},
        {"tcp": 1, "timeout": "1 min"},
        {"exec": ["sh", "-c", ""], "timeout": "1 min", "expect": {"text": "a"}},
        {"log": "a", "name": "b"},
        {"log-absent": "a"},
        {
            "sql": "select 1",
            "client": "psql",
            "user": "u",
            "database": "d",
            "expect": {"rows": 0, "text": "a"},
        },
        {"openapi": "/o", "port": 1, "tls": "verify", "ca": "c", "host": "h", "within": "1 s", "skip": []},
        {"steps": [{"http": "/", "port": 1, "capture": {"A": "$.a"}, "until": "1 s"}, {"exec": ["a"]}]},
    ],
    ids=str,
)
def test_schema_and_loader_take_each_way_to_probe(probe: dict[str, Any]) -> None:
    document = _with_probe(**probe)
    assert not _problems(document)
    VALIDATOR.validate(document)


def test_a_probe_of_the_wrong_type_is_told_once() -> None:
    assert _problems(_with_probe(http=5, port=1)) == [
        "hullmark.toml:1:1: `services.rag.probes.http`: expected a path that starts with `/`, got the number 5"
    ]


@pytest.mark.parametrize("text", ["tool = 1\n", "[tool]\nhullmark = 1\n", "[tool.other]\n"])
def test_a_pyproject_of_other_tools_is_no_traceback(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    if "hullmark" in text:
        with pytest.raises(ConfigurationError, match=r"`tool.hullmark` must be a table, got the number 1"):
            load_settings(tmp_path, {})
    else:
        assert not load_settings(tmp_path, {}).origins


# Values of each kind that it takes, and values that it does not.
NUMBERS = [0, -1, 1.5, True]
SAMPLES: dict[str, tuple[list[Any], list[Any]]] = {
    "text": (["a", " "], ["", *NUMBERS, ["a"]]),
    "list of texts": ([[], ["a"], ["a", "b"]], ["a", [""], [1], *NUMBERS]),
    "list of words": ([["a"], ["a", ""]], ["a", [], [1], *NUMBERS]),
    "port": ([1, 65535], [65536, "80", *NUMBERS]),
    "HTTP status": ([100, 200, 599], [99, 600, "200", *NUMBERS]),
    "size": (
        ["1 B", " 600MB ", "2,100 mb", "1.5 GiB", "1,234,567.5 kB"],
        ["", "MB", "600", "6 XB", "1,2 MB", 600],
    ),
    "duration": (["90 s", "500ms", "1.5 h", "2 m", " 2min "], ["", "s", "90", "90 S", "0 ms", "-1 s", 90]),
    "non-root | any | drops-to:NAME": (
        ["any", "non-root", "drops-to:a"],
        ["root", "drops-to:", "drops-to:a b", "drops-to:a:b", "any\n", *NUMBERS],
    ),
    "date": ([dt.date(2027, 6, 30)], [dt.datetime(2027, 6, 30, tzinfo=dt.UTC), dt.time(1), "soon", *NUMBERS]),
    "hash": ([f"sha256:{'0123456789abcdef' * 4}"], ["a", "A" * 64, ["a"], *NUMBERS]),
    "list of hashes, or of tables with one": (
        [
            [],
            [f"sha256:{'0123456789abcdef' * 4}"],
            [{"hash": f"sha256:{'a1' * 8}", "reason": "a", "expires": dt.date(2027, 1, 1), "owner": "b"}],
        ],
        [
            "a",
            ["A" * 64],
            ["a"],
            [1],
            [{"hash": f"sha256:{'a1' * 8}"}],
            [{"hash": f"sha256:{'a1' * 8}", "reason": "a", "until": "b"}],
            *NUMBERS,
        ],
    ),
    "share": (["5 %", " 0.5% ", "100%"], ["", "%", "5", "-1 %", "5 percent", *NUMBERS]),
    "database": (
        ["sqlite:a b.db", "sqlite:///a", "postgresql://u@h:1/d", "postgres://h/d"],
        ["", "a.db", "sqlite:", "mysql://h/d", "postgresql://", ["a"], *NUMBERS],
    ),
    "artifact, registry:REFERENCE or none": (
        ["artifact", "none", "registry:example.org/a/b:main"],
        ["", "registry:", "elsewhere", "none ", ["none"], *NUMBERS],
    ),
    "list of branches": (
        [["main"], ["a/b-1.x", "_"]],
        ["main", [], ["a b"], ["-x"], ["main\n"], [1], *NUMBERS],
    ),
    "age": (["7 days", "12 h", " 1d "], ["", "7", "0 days", "7 weeks", *NUMBERS]),
    "URL | directory": (
        ["feed", "/srv/osv", "a:b", "https://osv.example.com:8443/a/b", "HTTP://[::1]:80", "file:///srv/a b"],
        [
            "",
            "http:// a",
            "http:///x",
            "http://[::1",
            "https://a b/x",
            "https://a/?b",
            "ftp://a/b",
            "file://a",
            "https:a",
            "http://a:99999",
            *NUMBERS,
        ],
    ),
    "list of platforms": ([["linux/amd64"], ["linux/arm/v7", "linux/arm64"]], ["x", [], ["amd64"], *NUMBERS]),
    "list of latest | major | minor": ([[], ["latest", "minor"]], ["latest", ["1.4"], [1], *NUMBERS]),
    "address": (["https://example.com/a", "http://a:1"], ["tcp://a:1", "https://", "a", ["a"], *NUMBERS]),
    "list of PLATFORM=RUNNER": (
        [[], ["linux/amd64=ubuntu-24.04"], ["linux/arm/v7=a", "linux/arm64=b"]],
        ["x", ["linux/amd64"], ["=a"], ["linux/amd64=a b"], ["linux/amd64=${{ a }}"], *NUMBERS],
    ),
    "lower-case name": (["shop", "a-b.c_1"], ["", "Shop", "pier/one", "a--b", "-a", "${{ a }}", *NUMBERS]),
    "name": (["release", "pier/one"], ["", "a b", "${{ a }}", "$A", ["a"], *NUMBERS]),
    "OWNER/REPOSITORY/FILE.yml": (["acme/cli/build.yml"], ["build.yml", "a/b/c.txt", ["a"], *NUMBERS]),
    "list of drills": ([[], ["kill"], ["all", "stop"]], ["kill", ["x"], [1], *NUMBERS]),
    "true | false": ([True, False], ["true", 0, 1, 1.5]),
    "whole number": ([0, 1, 70000], [-1, 1.5, True, "1"]),
    "regular expression": (["a", "a+ (b|c)"], ["", "[", *NUMBERS, ["a"]]),
    "list of regular expressions": ([[], ["a"], ["a+", "b"]], ["a", [""], ["["], [1], *NUMBERS]),
    "JSON path": (["$", "$.a[0].b", "$..c"], ["", "a", *NUMBERS]),
    "any value": ([1, 1.5, True, "", "a", [], [{"a": 1}], {"a": {}}, dt.date(2027, 6, 30)], []),
    "host name": (["a", "shop.example", "a:8443", "${A}"], ["", "a b", "a/b", "a:", *NUMBERS]),
    "HTTP status, class, or list of them": (
        [100, 599, "2xx", [200], [201, "5xx"]],
        [99, 600, "6xx", "200", [], [99], ["2x"], *NUMBERS],
    ),
    "table of headers": (
        [{}, {"Accept": "a/b", "X-1": ""}],
        ["a", [], {"a b": "c"}, {"a": 1}, {"a": "b\nc"}, *NUMBERS],
    ),
    "table of JSON paths and regular expressions": (
        [{}, {"A": "$.a", "b_1": "x(.)"}],
        ["a", [], {"1a": "x"}, {"a": 1}, {"a": ""}, *NUMBERS],
    ),
    "path": (["/", "/health?x=1"], ["", "health", *NUMBERS]),
    "URL": (
        ["http://rag", "http://rag:8001/a?b", "https://a.b-c_d/", "tcp://db:5432", "http://rag?x"],
        [
            "rag",
            "http://",
            "tcp://db",
            "tcp://db:0",
            "tcp://db:5432/x",
            "http://db:65536",
            "http://a b/",
            "http://u:p@a",
        ],
    ),
}


def _samples(kind: Kind) -> tuple[list[Any], list[Any]]:
    if "enum" in kind.schema:
        return kind.schema["enum"], ["", "other", *NUMBERS]
    return SAMPLES[kind.name]


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=[path for path, _ in OPTIONS])
def test_schema_and_loader_agree_about_samples_of_every_option(path: str, option: Option) -> None:
    validator = Validator(option.kind.schema, format_checker=FormatChecker())
    good, bad = _samples(option.kind)
    for value in good:
        option.kind.read(value)
        assert validator.is_valid(_json(value)), (path, value)
    for value in bad:
        with pytest.raises(ValueError, match=r"expected|`"):
            option.kind.read(value)
        assert not validator.is_valid(_json(value)), (path, value)


def _documents(table: Table, only: set[str] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Documents for a table, or for what is `only` to stand in it, all of them right."""
    if table.alternatives:
        return st.one_of([_alternative(table, one) for one in table.alternatives])
    keys = {key: _value(table, key) for key in (*table.names, "*") if only is None or key in only}
    keys = {key: strategy for key, strategy in keys.items() if strategy is not None}
    if "*" in keys:
        return st.dictionaries(st.sampled_from(["rag", "db"]), keys["*"])
    return _of(keys, {option.key for option in table.options if option.required} & set(keys))


def _alternative(table: Table, one: Alternative) -> st.SearchStrategy[dict[str, Any]]:
    """Documents for a table with this one of its alternatives."""
    governed = {key for other in table.alternatives for key in (other.key, *other.own)}
    allowed = {one.key, *one.own}
    keys = {}
    for key in table.names:
        inner = {each.partition(".")[2] for each in governed if each.startswith(f"{key}.")}
        if inner:
            (child,) = (each for each in table.tables if each.key == key)
            fitting = {each for each in child.names if each not in inner or f"{key}.{each}" in allowed}
            keys[key] = _documents(child, fitting)
        elif key in allowed or key not in governed:
            keys[key] = _value(table, key)
    required = {option.key for option in table.options if option.required}
    return _of(keys, {*required, one.key, *one.needs})


def _value(table: Table, key: str) -> Any:
    """Values for the option or table `key` in `table`."""
    for option in table.options:
        if option.key == key:
            return st.sampled_from(_samples(option.kind)[0])
    for child in table.tables:
        if child.key == key:
            inner = _documents(child)
            return st.lists(inner, min_size=int(child.filled), max_size=2) if child.array else inner
    return None


def _of(keys: dict[str, st.SearchStrategy[Any]], required: set[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {key: value for key, value in keys.items() if key in required},
        optional={key: value for key, value in keys.items() if key not in required},
    )


def _tables(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from _tables(item)


@unhurried
@given(_documents(SCHEMA))
def test_schema_and_loader_take_every_right_document(document: dict[str, Any]) -> None:
    assert not _problems(document)
    VALIDATOR.validate(_json(document))


def _probes() -> st.SearchStrategy[dict[str, Any]]:
    """Documents that hold nothing but one probe."""
    (service,) = next(table for table in SCHEMA.tables if table.key == "services").tables
    (probe,) = (table for table in service.tables if table.key == "probes")
    return _documents(probe).map(lambda made: _with_probe(**made))


@unhurried
@given(_documents(SCHEMA) | _probes(), st.data())
def test_schema_and_loader_agree_about_a_document_with_one_change(
    document: dict[str, Any], data: st.DataObject
) -> None:
    document = copy.deepcopy(document)
    # Innermost first, which is where most of the rules are.
    table = data.draw(st.sampled_from(list(_tables(document))[::-1]))
    anything = sorted(
        {key for each in _tables(document) for key in each}
        | {"unkown", "http", "tcp", "port", "expect", "steps"}
    )
    key = data.draw(st.sampled_from(anything))
    change = data.draw(st.sampled_from(["add", "add", "remove", "replace"]))
    if change == "add":
        good = [value for _, option in OPTIONS if option.key == key for value in _samples(option.kind)[0]]
        table.setdefault(key, data.draw(st.sampled_from([1, {}, *good])))
    elif table:
        key = data.draw(st.sampled_from(sorted(table)))
        if change == "remove":
            del table[key]
        else:
            bad = [value for _, option in OPTIONS if option.key == key for value in _samples(option.kind)[1]]
            table[key] = data.draw(st.sampled_from(bad or [1, "x", [], {}, [{}]]))
    problems = _problems(document)
    assert VALIDATOR.is_valid(_json(document)) == (not problems), problems


@unhurried
@given(st.data(), st.sampled_from(["size", "duration", "URL", "non-root | any | drops-to:NAME"]))
def test_schema_and_loader_agree_about_any_text(data: st.DataObject, name: str) -> None:
    (kind,) = {id(k): k for _, option in OPTIONS if (k := option.kind).name == name}.values()
    near = {
        "size": r"\s?[0-9]{1,4}([.,][0-9]{1,3}){0,2} ?([kKmMgGtTiIbB]{1,3})\s?",
        "duration": r"([0-9]{1,3}(\.[0-9]{1,2})? ?(ms|s|m|min|h|d) ?){1,3}",
        "URL": r"(https?|tcp)://[a-z._-]{0,3}(:[0-9]{0,5})?([/?][a-z?/ ]{0,3})?",
    }
    texts = st.text() | st.from_regex(near.get(name, r"drops-to:[a-z: ]{0,4}"), fullmatch=True)
    text = data.draw(texts)
    try:
        kind.read(text)
        accepted = True
    except ValueError as error:
        # Limits of what is written well cannot be said in a schema.
        assume(not re.search("is (less|more|longer) than", str(error)))
        accepted = False
    assert Validator(kind.schema).is_valid(text) == accepted
