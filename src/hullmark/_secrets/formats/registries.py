"""Registries of packages and of images, and the files that clients keep their credentials in."""

from __future__ import annotations

import re

from hullmark._secrets.chance import entropy
from hullmark._secrets.checksums import decoded64, ends_with_crc32, is_pypi_token
from hullmark._secrets.detector import Detector, token
from hullmark._secrets.plausible import is_password

_PRINTABLE = re.compile(rb"[^\x00-\x1f\x7f]{1,100}:[^\x00-\x1f\x7f]{1,4000}").fullmatch
_FIRM = 2.0


def _is_login(match: re.Match[bytes]) -> bool:
    """Whether the value is a user and a password in base 64."""
    raw = decoded64(match["value"])
    if raw is None or not _PRINTABLE(raw):
        return False
    user, _, password = raw.partition(b":")
    return is_password(password, user)


def _is_chosen(match: re.Match[bytes]) -> bool:
    return is_password(match["value"]) and entropy(match["value"]) > _FIRM


DETECTORS = (
    token("npm-token", "an npm token", rb"npm_[A-Za-z0-9]{36}", b"npm_", check=ends_with_crc32),
    token("pypi-token", "a PyPI token", rb"pypi-AgE[A-Za-z0-9_-]{60,400}", b"pypi-AgE", check=is_pypi_token),
    token("rubygems-key", "a RubyGems key", rb"rubygems_[a-f0-9]{48}", b"rubygems_"),
    token("crates-token", "a crates.io token", rb"cio[A-Za-z0-9]{32}", b"cio"),
    token("nuget-key", "a NuGet key", rb"oy2[a-z0-9]{43}", b"oy2"),
    token(
        "docker-hub-token",
        "a Docker Hub token",
        rb"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,32}",
        b"dckr_pat_",
        b"dckr_oat_",
    ),
    token("artifactory-key", "an Artifactory key", rb"AKCp[A-Za-z0-9]{69}", b"AKCp"),
    token("artifactory-reference-token", "an Artifactory token", rb"cmVmdGtu[A-Za-z0-9]{56}", b"cmVmdGtu"),
    token("clojars-token", "a Clojars token", rb"CLOJARS_[a-f0-9]{60}", b"CLOJARS_"),
    token(
        "packagist-token",
        "a Private Packagist token",
        rb"packagist_(?:[a-z]{3}_)?[a-f0-9]{68}",
        b"packagist_",
    ),
    token("cloudsmith-key", "a Cloudsmith key", rb"ck_[A-Za-z0-9]{40}", b"ck_"),
    Detector(
        id="registry-login",
        what="a login of a container registry",
        trigger=rb"\"auth\"[ \t\r\n]{0,4}:[ \t\r\n]{0,4}\"[A-Za-z0-9+/=]{8}",
        expression=rb"\"auth\"\s{0,4}:\s{0,4}\"(?P<value>[A-Za-z0-9+/]{8,4000}={0,2})\"",
        literals=(b'"auth"',),
        behind=4096,
        check=_is_login,
    ),
    Detector(
        id="registry-identity-token",
        what="a token of a container registry",
        trigger=rb"\"(?:identitytoken|registrytoken)\"[ \t\r\n]{0,4}:[ \t\r\n]{0,4}\"[A-Za-z0-9+/=._-]{16}",
        expression=rb"\"(?:identitytoken|registrytoken)\"\s{0,4}:\s{0,4}\"(?P<value>[A-Za-z0-9+/=._-]{16,4000})\"",
        literals=(b'"identitytoken"', b'"registrytoken"'),
        behind=4096,
        check=_is_chosen,
    ),
    Detector(
        id="npm-login",
        what="a login of an npm registry",
        trigger=rb":_(?:authToken|password|auth)[ \t]{0,4}=[ \t]{0,4}[\"']?[^\s$\"']{8}",
        expression=rb":_(?:authToken|password|auth)[ \t]{0,4}=[ \t]{0,4}[\"']?(?P<value>[^\s$\"'\x00]{8,1000})",
        literals=(b":_authToken", b":_password", b":_auth"),
        behind=1024,
        check=_is_chosen,
    ),
    Detector(
        id="netrc-login",
        what="a login in a netrc file",
        trigger=rb"machine[ \t\r\n]{1,8}[A-Za-z0-9.-]{1,100}[ \t\r\n]{1,8}login[ \t\r\n]{1,8}[!-~]{1,100}[ \t\r\n]{1,8}password[ \t\r\n]{1,8}[!-~]{3}",
        expression=rb"machine\s{1,8}[A-Za-z0-9.-]{1,100}\s{1,8}login\s{1,8}(?P<user>[!-~]{1,100})\s{1,8}password\s{1,8}(?P<value>[!#-&(-~]{3,200})",
        literals=(b"machine",),
        reach=512,
        check=lambda match: is_password(match["value"], match["user"]),
    ),
    Detector(
        id="pypirc-password",
        what="a password of a package index",
        trigger=rb"username[ \t]{0,8}[=:][ \t]{0,8}[!-~]{1,100}[ \t\r\n]{1,8}password[ \t]{0,8}[=:][ \t]{0,8}[!-~]{3}",
        expression=rb"\busername[ \t]{0,8}[=:][ \t]{0,8}(?P<user>[!-~]{1,100})\s{1,8}password[ \t]{0,8}[=:][ \t]{0,8}(?P<value>[!#-&(-~]{6,400})",
        literals=(b"username",),
        check=lambda match: _is_chosen(match) and is_password(match["value"], match["user"]),
        generic=True,
    ),
)
