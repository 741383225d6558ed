"""Whether a value is chance: by how often its characters occur, and how they change, for its alphabet and length."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter

LEAST = 16
"""Characters of the shortest value that chance is told by."""
_LENGTHS = (16, 20, 24, 32, 40, 48, 64, 100)
# For each length, what 999 of 1,000 values have that are chance; measured, and a test measures it again.
_BITS = {
    "hex": (2.45, 2.68, 2.85, 3.10, 3.28, 3.36, 3.53, 3.69),
    "one case": (2.92, 3.20, 3.42, 3.74, 3.95, 4.14, 4.34, 4.59),
    "both cases": (3.18, 3.42, 3.68, 4.06, 4.30, 4.50, 4.77, 5.14),
}
_CHANGES = {
    "hex": (1, 2, 3, 5, 8, 9, 16, 30),
    "one case": (1, 1, 1, 2, 4, 6, 11, 22),
    "both cases": (3, 5, 6, 10, 13, 18, 26, 44),
}
"""From a digit, a letter of one case or a sign to something else: few in words that are written together."""
_HEX = re.compile(rb"[0-9a-f-]+|[0-9A-F-]+").fullmatch
_ONE_CASE = re.compile(rb"[^A-Z]+|[^a-z]+").fullmatch
_DIGIT, _LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")
_UUID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE).fullmatch
_UUID_BY_CHANCE = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
).fullmatch
_KINDS = (
    bytes(
        ord("d")
        if chr(byte).isdigit()
        else ord("l")
        if chr(byte).islower()
        else ord("u")
        if chr(byte).isupper()
        else 46
        for byte in range(128)
    )
    + b"." * 128
)
_CHANGE = re.compile(rb"(.)(?!\1)", re.DOTALL)
_WORD = re.compile(
    rb"access|account|address|admin|algorithm|alias|android|apache|application|array|assert|async|attribute|auth|author|"
    rb"azure|backend|base64|basic|browser|buffer|build|bytes|cache|callback|certificate|change|channel|charset|check|"
    rb"class|click|client|cloud|code|column|command|component|config|connect|console|const|content|context|control|"
    rb"cookie|count|create|credential|crypt|current|custom|data|date|default|define|delete|deploy|details|device|"
    rb"digest|directory|display|docker|document|domain|dummy|email|empty|enable|encode|encrypt|endpoint|engine|entity|"
    rb"entry|error|event|expire|export|extension|factory|false|feature|field|file|filter|flag|folder|form|format|"
    rb"found|frame|function|generat|global|google|group|handle|hash|header|hello|hidden|history|host|http|icon|image|"
    rb"import|index|info|input|insert|instance|integer|interface|internal|invalid|issue|item|java|json|kernel|label|"
    rb"language|length|library|limit|linux|list|load|local|location|login|lookup|machine|main|manage|match|member|"
    rb"memory|message|metadata|method|microsoft|mode|model|module|name|native|network|node|null|number|object|offset|"
    rb"option|order|output|owner|package|page|param|parent|parse|pass|path|pattern|permission|phrase|plain|platform|"
    rb"plugin|point|policy|port|postgres|prefix|print|private|process|product|profile|project|property|protocol|"
    rb"provider|proxy|public|python|query|random|read|record|redirect|redis|refresh|register|registry|release|remote|"
    rb"remove|render|replace|request|require|reset|resource|response|result|return|role|root|route|rule|runtime|"
    rb"sample|schema|scope|script|search|secret|section|secure|select|self|send|server|service|session|setting|"
    rb"setup|shared|should|signature|simple|single|size|socket|source|stack|start|state|static|status|storage|store|"
    rb"string|style|submit|super|support|symbol|system|table|target|task|template|test|text|theme|this|thread|time|"
    rb"title|token|total|track|transaction|transform|true|type|unknown|update|upload|user|util|valid|value|variable|"
    rb"vault|verify|version|view|visible|warning|webhook|widget|window|with|word|write|yaml",
    re.IGNORECASE,
)
_PART = 4
"""Words that are at least one in so many characters are no accident."""


def entropy(value: bytes) -> float:
    """Bits for each byte of `value`, by how often each occurs in it."""
    length = len(value)
    return (
        -sum(count / length * math.log2(count / length) for count in Counter(value).values()) if value else 0
    )


def is_chance(value: bytes) -> bool:
    """Whether `value`, of at least `LEAST` characters, came about by chance, whatever letters and digits it is made of."""
    if len(value) < LEAST or not _LETTER.search(value):
        return False
    if _UUID(value):
        return _UUID_BY_CHANCE(value) is not None
    alphabet = "hex" if _HEX(value) else "one case" if _ONE_CASE(value) else "both cases"
    if alphabet != "both cases" and not _DIGIT.search(value):
        return False
    if entropy(value) < _least(_BITS[alphabet], len(value)):
        return False
    changes = len(_CHANGE.findall(value.translate(_KINDS))) - 1
    return changes >= _least(_CHANGES[alphabet], len(value)) and not _is_of_words(value)


def _least(bounds: tuple[float, ...], length: int) -> float:
    """The bound for `length`, between those for the lengths beside it."""
    at = bisect_right(_LENGTHS, length)
    if at == len(_LENGTHS):
        return bounds[-1]
    part = (length - _LENGTHS[at - 1]) / (_LENGTHS[at] - _LENGTHS[at - 1])
    return bounds[at - 1] + part * (bounds[at] - bounds[at - 1])


def _is_of_words(value: bytes) -> bool:
    return sum(len(word) for word in _WORD.findall(value)) * _PART >= len(value)
