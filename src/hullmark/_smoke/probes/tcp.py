"""A connection that is accepted by the service, and not only by the engine's proxy."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from hullmark._smoke.probes.attempt import Answer

if TYPE_CHECKING:
    from hullmark._smoke.stack import Stack

SETTLE = 0.5
"""Seconds after which a connection that is still open counts as accepted.

The engine's own proxy accepts connections on the published port for a container that does not listen, and then
closes them; only a connection that stays open has reached the service.
"""


def connect(stack: Stack, service: str, port: int, timeout: float) -> Answer:
    """Whether `service` accepts connections to its container port `port`."""
    try:
        with socket.create_connection(stack.address(service, port), timeout=timeout) as connection:
            connection.settimeout(SETTLE)
            try:
                greeting = connection.recv(1)
            except TimeoutError:
                return Answer(passed=True, seen="connection accepted")
            except ConnectionResetError:
                greeting = b""
    except TimeoutError:
        return Answer(passed=False, seen="no answer in time")
    except OSError as error:
        return Answer(passed=False, seen=(error.strerror or str(error)).lower())
    if greeting:
        return Answer(passed=True, seen="connection accepted")
    return _past_the_proxy(stack, service, port, timeout)


def _past_the_proxy(stack: Stack, service: str, port: int, timeout: float) -> Answer:
    """Who closed a connection at once: the engine's proxy, for a container that refuses it, or the service itself."""
    for address in stack.inner_addresses(service):
        try:
            socket.create_connection((address, port), timeout=min(SETTLE, timeout)).close()
        except ConnectionRefusedError:
            return Answer(passed=False, seen="connection refused")
        except OSError:  # no way from here into that network
            continue
        return Answer(passed=True, seen="connection accepted, and closed at once by the service")
    return Answer(
        passed=False, seen="connection closed at once: nothing listens at the port, or what does closes it"
    )
