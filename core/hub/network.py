"""The network as this app uses it: the offline switch, the proxy, and every host that was spoken to."""

import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from core.problems import Code, Trouble
from core.settings import Settings

#: What libraries read when they are imported: no reports to their makers, and no look-ups of models.
_QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "WANDB_MODE": "offline"}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_HERE = ("localhost", "127.0.0.1", "::1")
_LOOKED_UP = ("socket.getaddrinfo", "socket.gethostbyname")
_ASKED_FOR = (*_LOOKED_UP, "socket.connect", "socket.sendto")


#: Bytes that are written at a time: so much is lost when a line breaks.
CHUNK = 1 << 16


class OfflineError(OSError):
    """Something in this process asked for the network although the user switched it off."""


class _Watch:
    """What one process knows of its own way to the network."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.hosts: dict[str, None] = {}
        self.tell: Callable[[str], None] | None = None
        self.offline = False
        self.watching = False
        self.client = False

    def hears(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _ASKED_FOR:
            return
        host = _host(event, arguments)
        if host is None or _is_here(host):
            return
        if self.offline:
            raise OfflineError(f"offline: {host}")
        # what is connected to was looked up before, under the name that people know
        if event in _LOOKED_UP:
            self.adds(host)

    def adds(self, host: str) -> None:
        with self.lock:
            if host in self.hosts:
                return
            self.hosts[host] = None
        if self.tell is not None:
            self.tell(host)


_watch = _Watch()


def prepare(settings: Settings) -> None:
    """Set up this process and those it starts, before libraries that read the environment are imported.

    From then on every host that Python code looks up is taken down (`destinations`), and nothing outside of this
    computer can be reached while the user is offline. Code that is no Python (a program that is started, a library in
    C that opens sockets itself) follows the environment set here.
    """
    os.environ.update(_QUIET)
    # the user's own word for "offline", before it is said to all libraries
    os.environ.setdefault("SOLOTUNE_HUB_OFFLINE", os.environ.get("HF_HUB_OFFLINE", ""))
    # what is trained lies on this computer: only a fetch may ask for models (see `opened`)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    set_offline(settings)
    if settings.proxy:
        for name in _PROXIES:
            os.environ[name] = settings.proxy
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(
            dict.fromkeys(filter(None, (*os.environ.get("no_proxy", "").split(","), *_HERE)))
        )
    watch()


def watch() -> None:
    """Take down every host that Python code of this process looks up from now on."""
    if not _watch.watching:
        _watch.watching = True
        # it cannot be taken away again: that is the point of it
        sys.addaudithook(_watch.hears)


def tell_hosts(tell: Callable[[str], None]) -> None:
    """Call `tell` once with each host that is spoken to from now on; it must not raise."""
    _watch.tell = tell


def set_offline(settings: Settings) -> None:
    """Follow the switch of the user, in a process that was prepared."""
    _watch.offline = settings.offline
    if settings.offline:
        os.environ.update(_OFFLINE)


def expect_online(settings: Settings, *, hub: bool = True) -> None:
    """Raise Trouble(OFFLINE) when the user wants no network; HF_HUB_OFFLINE counts as that for a `hub`."""
    asked = os.environ.get("SOLOTUNE_HUB_OFFLINE", os.environ.get("HF_HUB_OFFLINE", ""))
    if settings.offline or (hub and asked.strip().upper() in ("1", "ON", "YES", "TRUE")):
        raise Trouble(Code.OFFLINE)


def destinations() -> tuple[str, ...]:
    """Every host that this process has spoken to since it was prepared, in that order; this computer is left out."""
    with _watch.lock:
        return tuple(_watch.hosts)


def spoke_to(address: str) -> None:
    """Take down the host of `address`, for what a program does that was started, or a proxy on our behalf."""
    host = urlsplit(address).hostname
    if host and not _is_here(host):
        _watch.adds(host)


def client_of_hub() -> Any:
    """huggingface_hub's HTTP client (httpx), which follows the system's proxies; the hosts it asks are taken down.

    Call it first in a process that fetches: huggingface_hub is told here that it may use the network.
    """
    from huggingface_hub import constants, get_session, set_client_factory
    from huggingface_hub.utils._http import default_client_factory

    # the check for the user's switch was before: this undoes what `prepare` told all other libraries
    constants.HF_HUB_OFFLINE = False
    # its own 10 MB are gathered in memory before any is written: a slow line that breaks would never get beyond them
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK

    def made() -> Any:
        client = default_client_factory()
        client.event_hooks["request"].append(lambda request: spoke_to(str(request.url)))
        return client

    with _watch.lock:
        first, _watch.client = not _watch.client, True
    if first:
        set_client_factory(made)
    return get_session()


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The host that a socket is asked for; None where it is no matter of networks."""
    if event in ("socket.connect", "socket.sendto"):
        opened, address = arguments[0], arguments[1]
        if opened.family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
            return None
        return str(address[0])
    host = arguments[0]
    return host.decode("ascii", "replace") if isinstance(host, bytes) else host and str(host)


def _is_here(host: str) -> bool:
    """Whether a host is this computer itself."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower() == "localhost" or host == socket.gethostname()
    return address.is_loopback or address.is_unspecified
