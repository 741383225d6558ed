"""Keys that are parsed, and tokens that decode."""

from __future__ import annotations

import re

from hullmark._secrets.checksums import is_json_web_token
from hullmark._secrets.detector import LONGEST_BEHIND, Detector
from hullmark._secrets.keys import PEM, body_of, pem_key

_BLOB = re.compile(rb"[A-Za-z0-9+/=]{40,}")


def _is_plain(match: re.Match[bytes]) -> bool:
    return pem_key(match) == "a private key"


def _is_encrypted(match: re.Match[bytes]) -> bool:
    return pem_key(match) == "an encrypted private key"


def _is_pgp(match: re.Match[bytes]) -> bool:
    return pem_key(match) == "a private key of OpenPGP"


def _has_private_lines(match: re.Match[bytes]) -> bool:
    return _BLOB.search(match["value"]) is not None


_TRIGGER = rb"-----BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY(?: BLOCK)?-----"
_PEM = (b"PRIVATE KEY",)
DETECTORS = (
    Detector(
        id="private-key",
        what="a private key",
        trigger=_TRIGGER,
        expression=PEM.pattern,
        literals=_PEM,
        behind=LONGEST_BEHIND,
        check=_is_plain,
        value=body_of,
    ),
    Detector(
        id="encrypted-private-key",
        what="an encrypted private key",
        trigger=_TRIGGER,
        expression=PEM.pattern,
        literals=_PEM,
        behind=LONGEST_BEHIND,
        check=_is_encrypted,
        value=body_of,
    ),
    Detector(
        id="pgp-private-key",
        what="a private key of OpenPGP",
        trigger=_TRIGGER,
        expression=PEM.pattern,
        literals=_PEM,
        behind=LONGEST_BEHIND,
        check=_is_pgp,
        value=body_of,
    ),
    Detector(
        id="putty-private-key",
        what="a private key of PuTTY",
        trigger=rb"Private-Lines: [0-9]{1,3}",
        expression=rb"Private-Lines: [0-9]{1,3}\s{1,2}(?P<value>(?:[A-Za-z0-9+/=]{1,64}\s{1,2}){1,64})",
        literals=(b"Private-Lines: ",),
        behind=LONGEST_BEHIND,
        check=_has_private_lines,
        value=lambda match: b"".join(match["value"].split()),
    ),
    Detector(
        id="json-web-token",
        what="a JSON web token",
        trigger=rb"\.eyJ[A-Za-z0-9_-]{10}",
        expression=rb"(?<![A-Za-z0-9_-])(?P<value>eyJ[A-Za-z0-9_-]{10,1000}+\.eyJ[A-Za-z0-9_-]{10,4000}+\.[A-Za-z0-9_-]{20,1000}+)",
        literals=(b".eyJ",),
        reach=1024,
        behind=6000,
        check=lambda match: is_json_web_token(match["value"]),
    ),
    Detector(
        id="wireguard-key",
        what="a private key of WireGuard",
        trigger=rb"PrivateKey[ \t]{0,4}=[ \t]{0,4}[A-Za-z0-9+/]{42}",
        expression=rb"PrivateKey[ \t]{0,4}=[ \t]{0,4}(?P<value>[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)(?![A-Za-z0-9=])",
        literals=(b"PrivateKey",),
        check=None,
    ),
)
