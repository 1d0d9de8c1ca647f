"""Which sources there are for a model, how fast each answers, and which one is taken."""

import os
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from core.catalog import ModelSpec, spec_of
from core.hub.answers import trouble_of
from core.hub.credentials import token_for
from core.hub.huggingface import HuggingFace
from core.hub.modelscope import ENDPOINT as MODELSCOPE
from core.hub.modelscope import ModelScope
from core.hub.network import client_of_hub, expect_online
from core.hub.source import Origin
from core.problems import Code, Problem, Trouble
from core.settings import MIRROR, Settings

_HUB = "https://huggingface.co"
#: Seconds that a source has to answer in.
_PATIENCE = 6.0


@dataclass(frozen=True)
class Reach:
    """How long a source took to answer, in milliseconds; None where it did not, and then why.

    `name` is one of core.settings.SOURCES, `address` the server that was asked. `date` is the time it said it was
    (seconds since the epoch) when it was `asked_at` here: a wrong clock makes every secure connection fail, and then
    `certificate` says why the server's was refused.
    """

    name: str
    address: str
    milliseconds: float | None = None
    problem: Problem | None = None
    date: float | None = None
    asked_at: float = 0.0
    certificate: str = ""


def addresses(settings: Settings) -> dict[str, str]:
    """The server of each source by its name, in the order in which they are tried; HF_ENDPOINT counts."""
    return {
        "huggingface": (os.environ.get("HF_ENDPOINT") or _HUB).rstrip("/"),
        "mirror": (settings.endpoint or MIRROR).rstrip("/"),
        "modelscope": (os.environ.get("MODELSCOPE_ENDPOINT") or MODELSCOPE).rstrip("/"),
    }


def reach(settings: Settings, names: Sequence[str] = ("huggingface", "mirror", "modelscope")) -> tuple[Reach, ...]:
    """Ask each source for as little as it can answer, all at once, and take the time. Raises Trouble(OFFLINE)."""
    expect_online(settings)
    client, there = client_of_hub(), addresses(settings)
    found = {name: Reach(name, there[name], problem=Problem(Code.NO_NETWORK, {"what": there[name]})) for name in names}

    def measure(name: str) -> None:
        found[name] = _measured(client, name, there[name])

    crew = [threading.Thread(target=measure, args=(name,), daemon=True) for name in names]
    for thread in crew:
        thread.start()
    until = time.monotonic() + _PATIENCE + 1
    for thread in crew:
        thread.join(max(0.0, until - time.monotonic()))
    return tuple(found[name] for name in names)


def origins(model: str, settings: Settings, token: str = "", source: str = "") -> tuple[Origin, ...]:
    """The sources of a model, the one to take first: as the settings say, or `source`.

    `model` is an id of the catalogue or owner/name. On "auto" all that have it are measured, and those that answer
    come, fastest first; a mirror is among them only when the user named one, because it is nobody's official server.
    Raises Trouble: MODEL_UNKNOWN (no such id, or not at that source), OFFLINE, NO_NETWORK.
    """
    hub, scope = _ids(model)
    chosen = source or settings.source
    there = addresses(settings)
    if chosen == "modelscope" and not scope:
        raise Trouble(Code.MODEL_UNKNOWN, model=model, source=chosen)
    made: dict[str, Callable[[], Origin]] = {
        "huggingface": lambda: _hub(hub, there["huggingface"], "huggingface", token),
        "mirror": lambda: _hub(hub, there["mirror"], "mirror", token if settings.endpoint else ""),
        "modelscope": lambda: ModelScope(scope, there["modelscope"]),
    }
    if chosen != "auto":
        return (made[chosen](),)
    names = ["huggingface", *(["mirror"] if settings.endpoint else []), *(["modelscope"] if scope else [])]
    if len(names) == 1:
        return (made["huggingface"](),)
    answered = [one for one in reach(settings, names) if one.milliseconds is not None]
    if not answered:
        raise Trouble(Code.NO_NETWORK, what=there["huggingface"])
    return tuple(made[one.name]() for one in sorted(answered, key=lambda one: one.milliseconds or 0.0))


def is_id(model: str) -> bool:
    """Whether `model` has the form of a published one: owner/name, and no path."""
    owner, _, name = model.strip().partition("/")
    letters = f"{owner}{name}".replace("-", "").replace("_", "").replace(".", "")
    return bool(owner and name and letters.isascii() and letters.isalnum()) and ".." not in model


def _ids(model: str) -> tuple[str, str]:
    """The id at the Hub and at ModelScope. One that is not in the catalogue is looked for at both as it is."""
    try:
        spec: ModelSpec | None = spec_of(model)
    except Trouble:
        spec = None
    if spec is not None and spec.source != "folder":
        return spec.repo, spec.modelscope
    if is_id(model):
        return model.strip(), model.strip()
    raise Trouble(Code.MODEL_UNKNOWN, model=model)


def _hub(model: str, endpoint: str, name: str, given: str) -> Origin:
    return HuggingFace(model, endpoint, name=name, token=token_for(endpoint, given).token)


def _measured(client: Any, name: str, address: str) -> Reach:
    # the name of a model that every one of them has had for years; only the head of the answer is waited for
    path = "/api/v1/models/Qwen/Qwen2.5-0.5B-Instruct" if name == "modelscope" else "/api/models?limit=1"
    begun = time.monotonic()
    try:
        with client.stream("GET", address + path, timeout=_PATIENCE) as response:
            took = (time.monotonic() - begun) * 1000
            date, asked_at = _date(response.headers.get("Date", "")), time.time()
            if response.status_code >= 400:
                facts = {"source": name, "status": response.status_code}
                return Reach(name, address, problem=Problem(Code.SOURCE_BUSY, facts), date=date, asked_at=asked_at)
    except Exception as error:
        try:
            problem = trouble_of(error, HuggingFace("", address, name=name)).problem
        except Exception:
            problem = Problem(Code.NO_NETWORK, {"what": address})
        return Reach(name, address, problem=problem, certificate=_refused_certificate(error))
    return Reach(name, address, took, date=date, asked_at=asked_at)


def _refused_certificate(error: BaseException | None) -> str:
    """Why the server's certificate was not accepted, "" when that is not what went wrong."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message or "CERTIFICATE_VERIFY_FAILED"
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return ""


def _date(header: str) -> float | None:
    """The time that an answer's Date header tells, in seconds since the epoch."""
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError:
        return None
