"""What a server answers when it does not give what it was asked for: try again, or say why not."""

import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from core.hub.network import OfflineError
from core.hub.source import Origin
from core.problems import Code, Trouble

T = TypeVar("T")

#: Seconds before the next try, doubled each time, and how many tries there are without a single byte arriving.
FIRST_WAIT = 1.0
LONGEST_WAIT = 30.0
TRIES = 6
#: How many of them where nobody answers at all: that is a line that is not there more often than one that breaks.
TRIES_TO_REACH = 3
#: Answers of a server that is busy or being mended.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


def patiently(origin: Origin, ask: Callable[[], T]) -> T:
    """What `ask` returns, asked again while the server is only busy. Raises Trouble."""
    for tried in range(1, TRIES + 1):
        try:
            return ask()
        except Exception as error:
            most = TRIES_TO_REACH if "ConnectError" in {cls.__name__ for cls in type(error).__mro__} else TRIES
            if tried >= most or not is_passing(error):
                raise trouble_of(error, origin) from error
            time.sleep(pause(tried, error))
    raise AssertionError


def is_passing(error: BaseException) -> bool:
    """Whether it makes sense to try again: a busy server, a line that broke, an answer that was cut off."""
    status = status_of(error)
    if status:
        return status in _PASSING
    if isinstance(error, OfflineError) or isinstance(error.__cause__, OfflineError):
        return False
    names = {cls.__name__ for cls in type(error).__mro__}
    # httpx's: whatever happens on the way, and a body that is not as long as was said
    return "TransportError" in names and "ProxyError" not in names and "UnsupportedProtocol" not in names


def pause(tried: int, error: BaseException | None = None) -> float:
    """Seconds to wait after `tried` tries in a row without anything; what the server asks for counts."""
    response = getattr(error, "response", None)
    asked = str(response.headers.get("Retry-After", "")) if response is not None else ""
    if asked.isdigit():
        return min(float(asked), 600.0)
    return float(min(FIRST_WAIT * 2 ** (tried - 1), LONGEST_WAIT))


def status_of(error: BaseException) -> int:
    """The HTTP status that an error carries, 0 if it has none."""
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def trouble_of(error: BaseException, origin: Origin) -> Trouble:
    """The Trouble that an error of a fetch is. No text of the error goes into it: that could hold what was sent."""
    if isinstance(error, Trouble):
        return error
    names = {cls.__name__ for cls in type(error).__mro__}
    status = status_of(error)
    facts = {"model": origin.model, "source": origin.name, "host": urlsplit(origin.page).hostname, "status": status}
    refused = status in (401, 403)
    if "GatedRepoError" in names or (refused and "RepositoryNotFoundError" not in names):
        bad_token = refused and bool(origin.headers()) and "GatedRepoError" not in names and status == 401
        return Trouble(Code.TOKEN_REFUSED if bad_token else Code.GATED_MODEL, **facts, licence_page=origin.page)
    if "RepositoryNotFoundError" in names or "HFValidationError" in names or status == 404:
        return Trouble(Code.MODEL_UNKNOWN, **facts)
    if status:
        return Trouble(Code.SOURCE_BUSY, **facts)
    if isinstance(error, OfflineError) or "OfflineModeIsEnabled" in names:
        return Trouble(Code.OFFLINE)
    if "TransportError" in names:
        return Trouble(Code.NO_NETWORK, what=origin.page, error=type(error).__name__)
    raise error
