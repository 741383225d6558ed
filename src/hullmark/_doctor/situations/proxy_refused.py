"""A proxy does not let it through.

What it looks like
    `proxyconnect tcp: dial tcp 127.0.0.1:3128: connect: connection refused`, `ProxyError('Cannot connect to proxy')`,
    `Could not connect to 127.0.0.1:3128`, `407 Proxy Authentication Required`, `CONNECT tunnel failed, response 403`.

Why it happens
    An address of a proxy is handed into the build or the engine that does not answer there. In a container 127.0.0.1
    is the container itself, so that a proxy on the host's loopback interface is never reached. With 407 the proxy
    wants a name and a password, with 403 it does not let anybody through to that host.

What to do
    Hand over an address that containers reach, for the client in the `proxies` of `~/.docker/config.json`, for the
    engine in its own environment, and name in `no_proxy` what needs none. `hullmark doctor` shows what is set where.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._doctor.situation import situation
from hullmark.model.diagnosis import Advice, Remedy

if TYPE_CHECKING:
    from hullmark._doctor.situation import Symptom


@situation(
    summary="a proxy does not let it through",
    patterns=(
        r"proxyconnect tcp: dial tcp (?P<proxy>\S+?): (?P<reason>[^\n\"]{1,80})",
        r"Could not connect to (?P<proxy>\S+:\d+) \([^\n)]*\)\.? - connect \((?P<reason>[^)]*\))",
        r"Failed to connect to (?P<proxy>\S+) port (?P<port>3128|8080|8888|9) after",
        r"ProxyError\('[^']*(?:Cannot|Unable to) connect to proxy",
        r"Cannot connect to proxy",
        r"(?P<reason>407 [Pp]roxy [Aa]uthentication [Rr]equired)",
        r"Received HTTP code (?P<code>40[37]) from proxy after CONNECT",
        r"CONNECT tunnel failed, response (?P<code>\d+)",
        r"Could not resolve proxy: (?P<proxy>\S+)",
        r"(?P<reason>Proxy Authentication Required)",
    ),
    since="0.1",
)
def proxy_refused(symptom: Symptom) -> Advice | None:
    proxy = symptom.get("proxy")
    local = proxy.startswith(("127.", "localhost", "[::1]"))
    code = symptom.get("code") or ("407" if "uthentication" in symptom.get("reason") else "")
    if code == "407":
        cause = "the proxy wants a name and a password"
    elif code:
        cause = f"the proxy refuses to connect to that host ({code})"
    else:
        cause = f"no proxy answers at {proxy or 'the address that is handed over'}"
        cause += "; in a container, that is the container itself and not this host" if local else ""
    return Advice(
        cause=cause,
        remedies=(
            Remedy(text="see which proxies are set where", command=("hullmark", "doctor")),
            Remedy(
                text="hand over an address that containers reach: `proxies` in ~/.docker/config.json for builds and containers, the environment of the engine for pulls"
            ),
            Remedy(
                text="or hand none over to this build",
                command=(
                    "docker",
                    "compose",
                    "build",
                    "--build-arg",
                    "http_proxy=",
                    "--build-arg",
                    "https_proxy=",
                ),
            ),
        ),
    )
