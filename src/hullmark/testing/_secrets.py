"""Secrets of nobody, made up anew each time and valid by their checksums, so that no file has to hold one."""

from __future__ import annotations

import base64
import binascii
import json
import re
import string
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark.testing._named_secrets import named_secret

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_ALPHABETS = {
    "w": string.ascii_letters + string.digits,
    "a": string.ascii_letters,
    "l": string.ascii_lowercase + string.digits,
    "u": string.ascii_uppercase + string.digits,
    "d": string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "b": string.ascii_letters + string.digits + "_-",
    "B": string.ascii_letters + string.digits + "+/",
    "q": string.ascii_uppercase + "234567",
}
_SLOT = re.compile(r"\{([a-zA-Z])(\d+)\}")
_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_KEY = "PRIVATE" + " KEY"

# By format: an example with slots, `{w36}` for 36 letters and digits.
_SHAPES = {
    "airtable-token": "pat{w14}.{h64}",
    "aiven-token": "aivenv1{w120}",
    "alibaba-access-key": "LTAI{w20}",
    "anthropic-key": "sk-ant-api03-{b92}xAA",
    "artifactory-key": "AKCp{w69}",
    "artifactory-reference-token": "cmVmdGtu{w56}",
    "atlassian-token": "ATATT3{w186}={H8}",
    "azure-client-secret": "{w3}8Q~{w34}",
    "azure-devops-token": "{w52}JQQJ9D{w17}{w2}AZDO{w4}",
    "azure-registry-key": "{w42}+ACR{w6}",
    "bitbucket-app-password": "ATBB{w24}{H8}",
    "braintree-token": "access_token$production${l16}${h32}",
    "brevo-key": "xkeysib-{h64}-{w16}",
    "buildkite-token": "bkua_{h40}",
    "cerebras-key": "csk-{l48}",
    "circleci-token": "CCIPAT_{w22}_{h40}",
    "clojars-token": "CLOJARS_{h60}",
    "cloudflare-origin-key": "v1.0-{h24}-{h146}",
    "cloudsmith-key": "ck_{w40}",
    "contentful-token": "CFPAT-{w43}",
    "crates-token": "cio{w32}",
    "databricks-token": "dapi{h32}",
    "deepseek-key": "sk-{h32}",
    "digitalocean-token": "dop_v1_{h64}",
    "discord-webhook": "discord.com/api/webhooks/{d18}/{w68}",
    "docker-hub-token": "dckr_pat_{w27}",
    "doppler-token": "dp.pt.{w43}",
    "duffel-token": "duffel_live_{w43}",
    "dynatrace-token": "dt0c01.{u24}.{u64}",
    "easypost-key": "EZAK{w54}",
    "elevenlabs-key": "sk_{h48}",
    "fauna-key": "fnA{w37}",
    "figma-token": "figd_{w40}",
    "flutterwave-key": "FLWSECK-{h32}-X",
    "flyio-token": "fm2_{w160}",
    "github-fine-grained-token": "github_pat_{w22}_{w59}",
    "gitlab-agent-token": "glagent-{w50}",
    "gitlab-deploy-token": "gldt-{w20}",
    "gitlab-job-token": "glcbt-{w2}_{w20}",
    "gitlab-mail-token": "glimt-{w25}",
    "gitlab-oauth-secret": "gloas-{h64}",
    "gitlab-runner-token": "glrt-{w20}",
    "gitlab-scim-token": "glsoat-{w20}",
    "gitlab-token": "glpat-{w20}",
    "gitlab-trigger-token": "glptt-{h40}",
    "google-api-key": "AIza{w35}",
    "google-oauth-secret": "GOCSPX-{w28}",
    "google-oauth-token": "ya29.{w120}",
    "grafana-cloud-token": "glc_eyJ{w90}",
    "groq-key": "gsk_{w52}",
    "heroku-api-key": "HRKU-AA{w58}",
    "honeycomb-key": "hcaik_{l58}",
    "hubspot-token": "pat-na1-{h8}-{h4}-{h4}-{h4}-{h12}",
    "huggingface-organisation-token": "api_org_{a34}",
    "huggingface-token": "hf_{a34}",
    "infracost-key": "ico-{w32}",
    "langsmith-key": "lsv2_pt_{h32}_{h10}",
    "linear-key": "lin_api_{w40}",
    "mailchimp-key": "{h32}-us21",
    "mailgun-key": "key-{h32}",
    "mapbox-secret-token": "sk.eyJ{w90}.{w22}",
    "mollie-key": "live_{w30}",
    "neon-key": "napi_{l64}",
    "netlify-token": "nfp_{w36}",
    "new-relic-insights-key": "NRII-{w32}",
    "new-relic-key": "NRAK-{u27}",
    "notion-token": "ntn_{w46}",
    "nuget-key": "oy2{l43}",
    "nvidia-key": "nvapi-{w64}",
    "onepassword-token": "ops_eyJ{w300}",
    "openai-key": "sk-proj-{w20}T3BlbkFJ{w20}",
    "openrouter-key": "sk-or-v1-{h64}",
    "packagist-token": "packagist_ack_{h68}",
    "perplexity-key": "pplx-{w48}",
    "pinecone-key": "pcsk_{w6}_{w63}",
    "plaid-token": "access-production-{h8}-{h4}-{h4}-{h4}-{h12}",
    "planetscale-password": "pscale_pw_{w43}",
    "postman-key": "PMAK-{h24}-{h34}",
    "prefect-key": "pnu_{w36}",
    "pulumi-token": "pul-{h40}",
    "render-api-key": "rnd_{w28}",
    "replicate-token": "r8_{w37}",
    "resend-key": "re_{w8}_{w24}",
    "rubygems-key": "rubygems_{h48}",
    "scaleway-access-key": "SCW{u17}",
    "sendgrid-key": "SG.{w22}.{w43}",
    "sentry-organisation-token": "sntrys_eyJ{w120}",
    "sentry-user-token": "sntryu_{h64}",
    "shippo-token": "shippo_live_{h40}",
    "shopify-token": "shpat_{h32}",
    "slack-app-token": "xapp-1-A{u10}-{d13}-{h64}",
    "slack-bot-token": "xoxb-{d12}-{d13}-{w24}",
    "slack-configuration-token": "xoxe.xoxp-1-{w163}",
    "slack-user-token": "xoxp-{d12}-{d12}-{d13}-{h32}",
    "slack-webhook": "hooks.slack.com/services/T{u10}/B{u10}/{w24}",
    "snyk-token": "snyk_uat.{l8}.{w60}",
    "sonar-token": "squ_{h40}",
    "sourcegraph-token": "sgp_{h16}_{h40}",
    "square-token": "sq0csp-{w43}",
    "stripe-key": "sk_live_{w24}",
    "stripe-test-key": "rk_test_{w99}",
    "stripe-webhook-secret": "whsec_{w32}",
    "supabase-secret-key": "sb_secret_{w31}",
    "supabase-token": "sbp_{h40}",
    "tailscale-key": "tskey-auth-{w17}-{w33}",
    "tavily-key": "tvly-{w32}",
    "teams-webhook": "shop.webhook.office.com/webhookb2/{h8}-{h4}-{h4}-{h4}-{h12}@{h8}-{h4}-{h4}-{h4}-{h12}/IncomingWebhook/{h32}",
    "telegram-bot-token": "7{d9}:AA{w33}",
    "tencent-secret-id": "AKID{w32}",
    "terraform-token": "{w14}.atlasv1.{w67}",
    "together-key": "tgp_v1_{w43}",
    "typeform-token": "tfp_{w44}_{w14}",
    "vault-token": "hvs.{w90}",
    "vercel-blob-token": "vercel_blob_rw_{w16}_{w30}",
    "xai-key": "xai-{w80}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One secret."""

    format: str
    """The id of its format."""
    text: str
    """What stands in a file, which need be more than the secret: the name before it, the lines around it."""
    secret: str
    """The secret in it, as it is hashed."""


def planted(format: str, chance: random.Random) -> Planted:  # noqa: A002  # the word for it
    """A secret of that format, see `SECRET_FORMATS`."""
    shape = _SHAPES.get(format)
    if shape is not None:
        text = _filled(shape, chance)
        return Planted(format=format, text=text, secret=text)
    made = _SEALED[format](chance)
    text, secret = (made, made) if isinstance(made, str) else made
    return Planted(format=format, text=text, secret=secret)


def _filled(shape: str, chance: random.Random) -> str:
    return _SLOT.sub(
        lambda slot: "".join(chance.choice(_ALPHABETS[slot[1]]) for _ in range(int(slot[2]))), shape
    )


def _base62(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE_62[rest] + digits
    return digits.rjust(6, "0")


def _with_crc32(prefix: str, chance: random.Random) -> str:
    body = _filled("{w30}", chance)
    return f"{prefix}_{body}{_base62(zlib.crc32(body.encode()))}"


def _aws(chance: random.Random) -> str:
    account = chance.randrange(10**11, 10**12)
    number = ((account << 7) | chance.randrange(128) | 1 << 47).to_bytes(6, "big") + chance.randbytes(4)
    return f"AKIA{base64.b32encode(number).decode()}"


def _nats(chance: random.Random) -> str:
    # Two bytes of what kind it is, so that it begins with SU.
    raw = bytes((0x95, 0x00)) + chance.randbytes(32)
    seal = binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(raw + seal).decode().rstrip("=")


def _age(chance: random.Random) -> str:
    name = "age-secret-key-"
    bits = int.from_bytes(chance.randbytes(32), "big") << 4
    numbers = [(bits >> shift) & 31 for shift in range(255, -1, -5)]
    expanded = [*(ord(each) >> 5 for each in name), 0, *(ord(each) & 31 for each in name)]
    check = _polymod([*expanded, *numbers, 0, 0, 0, 0, 0, 0]) ^ 1
    numbers += [(check >> 5 * (5 - position)) & 31 for position in range(6)]
    return f"{name}1{''.join(_BECH32[each] for each in numbers)}".upper()


def _polymod(numbers: list[int]) -> int:
    check = 1
    for number in numbers:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ number
        for position, generator in enumerate(_GENERATORS):
            check ^= generator if (top >> position) & 1 else 0
    return check


def _grafana(chance: random.Random) -> str:
    body = _filled("glsa_{w32}", chance)
    return f"{body}_{zlib.crc32(body.encode()).to_bytes(4, 'little').hex()}"


def _web(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _web_token(chance: random.Random) -> str:
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"iss": "shop", "jti": chance.randbytes(8).hex()}
    parts = [_web(json.dumps(each).encode()) for each in (header, claims)]
    return ".".join([*parts, _web(chance.randbytes(32))])


def _pypi(chance: random.Random) -> str:
    # A macaroon says for which index it is.
    place = b".".join((b"pypi", b"org"))
    parts = (bytes((2, 1, len(place))), place, b"\2$", chance.randbytes(36), b"\0\0\6 ", chance.randbytes(32))
    return f"pypi-{_web(b''.join(parts))}"


def _discord(chance: random.Random) -> str:
    user = str(chance.randrange(10**17, 10**18)).encode()
    return f"{_web(user)}.{_filled('G{w5}.{w38}', chance)}"


def _sixty_four(count: int, chance: random.Random) -> str:
    return base64.b64encode(chance.randbytes(count)).decode()


def _marked(size: int, at: int, mark: str, chance: random.Random) -> str:
    text = _sixty_four(size, chance)
    return text[:at] + mark + text[at + len(mark) :]


def _item(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:  # noqa: PLR2004  # of DER
        return bytes((tag, size)) + content
    return bytes((tag, 0x82)) + size.to_bytes(2, "big") + content


def _pem(kind: str, raw: bytes, around: str = "") -> tuple[str, str]:
    body = base64.b64encode(raw).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    tail = " BLOCK" if kind == "PGP " else ""
    return f"-----BEGIN {kind}{_KEY}{tail}-----\n{around}{lines}\n-----END {kind}{_KEY}{tail}-----", body


def _rsa(chance: random.Random) -> tuple[str, str]:
    numbers = b"".join(_item(0x02, b"\1" + chance.randbytes(size)) for size in (256, 3, 256, 128, 128))
    return _pem("RSA ", _item(0x30, _item(0x02, b"\0") + numbers))


def _encrypted(chance: random.Random) -> tuple[str, str]:
    algorithm = _item(0x30, _item(0x06, b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"))
    return _pem("ENCRYPTED ", _item(0x30, algorithm + _item(0x04, chance.randbytes(200))))


def _pgp(chance: random.Random) -> tuple[str, str]:
    return _pem("PGP ", b"\x95\x01\xd8\x04" + chance.randbytes(300))


def _putty(chance: random.Random) -> tuple[str, str]:
    line = _filled("{w64}", chance)
    return f"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{line}\n", line


def _after(name: str, shape: str, chance: random.Random) -> tuple[str, str]:
    secret = _filled(shape, chance)
    return f"{name}{secret}", secret


def _login(chance: random.Random) -> tuple[str, str]:
    secret = base64.b64encode(f"robot:{_filled('{w20}', chance)}".encode()).decode()
    return f'{{"auths": {{"registry.shop.dev": {{"auth": "{secret}"}}}}}}', secret


def _identity(chance: random.Random) -> tuple[str, str]:
    secret = _filled("{w40}", chance)
    return f'{{"identitytoken": "{secret}"}}', secret


def _url(chance: random.Random) -> tuple[str, str]:
    secret = _filled("{w18}", chance)
    return f"postgresql://shop:{secret}@db.shop.internal:5432/shop", secret


def _storage(name: str, count: int, chance: random.Random) -> tuple[str, str]:
    secret = _sixty_four(count, chance)
    return f"{name}={secret}", secret


_SEALED: dict[str, Callable[[random.Random], str | tuple[str, str]]] = {
    "age-key": _age,
    "assigned-secret": named_secret,
    "aws-access-key": _aws,
    "aws-secret-key": lambda chance: _after("aws_secret_access_key = ", "{B40}", chance),
    "azure-data-key": lambda chance: _marked(64, 76, "ACDb", chance),
    "azure-service-key": lambda chance: _marked(32, 33, "+ASb", chance),
    "azure-shared-access-key": lambda chance: _storage("SharedAccessKey", 32, chance),
    "azure-storage-key": lambda chance: _storage("AccountKey", 64, chance),
    "discord-token": _discord,
    "encrypted-private-key": _encrypted,
    "github-token": lambda chance: _with_crc32("gh" + chance.choice("pousr"), chance),
    "grafana-service-token": _grafana,
    "json-web-token": _web_token,
    "nats-seed": _nats,
    "netrc-login": lambda chance: _after("machine git.shop.dev login robot password ", "{w16}", chance),
    "npm-login": lambda chance: _after("//registry.shop.dev/:_authToken=", "{w32}", chance),
    "npm-token": lambda chance: _with_crc32("npm", chance),
    "pgp-private-key": _pgp,
    "private-key": _rsa,
    "putty-private-key": _putty,
    "pypi-token": _pypi,
    "pypirc-password": lambda chance: _after("username = robot\npassword = ", "{w20}", chance),
    "registry-identity-token": _identity,
    "registry-login": _login,
    "url-password": _url,
    "wireguard-key": lambda chance: _storage("PrivateKey ", 32, chance),
}
SECRET_FORMATS = tuple(sorted({*_SHAPES, *_SEALED}))
"""Every format of which there are examples."""
