"""What the doctor reads off a computer, as plain data: None where nothing was read."""

from dataclasses import dataclass, field

from core.findings import Probed
from core.gpu import Card


@dataclass(frozen=True)
class Python:
    """The Python that runs this: "3.11.7", and 32 or 64 bits."""

    version: str
    bits: int


@dataclass(frozen=True)
class Packages:
    """Packages that SoloTune needs: how many are as tested, which are missing, broken, or of another version.

    `differ` holds "name 1.2 (1.3)": what there is and what was tested.
    """

    good: int
    missing: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    differ: tuple[str, ...] = ()


@dataclass(frozen=True)
class System:
    """`platform` as sys.platform has it; `folders` (name, path) that lie on the slow side of WSL."""

    platform: str
    name: str = ""
    wsl: bool = False
    slow_folders: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Cards:
    """Cards as NVML tells them, or the problem (core.problems.Code) that it had."""

    cards: tuple[Card, ...] = ()
    problem: str = ""
    text: str = ""


@dataclass(frozen=True)
class Place:
    """A folder that SoloTune writes to ("settings", "runs", "models", "temporary") and the disk that holds it.

    Bytes. `problem` says why nothing can be written, "" when it can.
    """

    name: str
    path: str
    free_bytes: int
    total_bytes: int
    problem: str = ""


@dataclass(frozen=True)
class Memory:
    """The computer's main memory, and the room that the system has on the disk for more (page file, swap). Bytes."""

    total_bytes: int
    available_bytes: int
    swap_bytes: int
    platform: str


@dataclass(frozen=True)
class Power:
    """Whether a computer with a battery is plugged in; None without a battery."""

    plugged: bool | None = None


@dataclass(frozen=True)
class Clock:
    """The computer's time and a day that has certainly passed, in seconds since the epoch; 0 when none is known."""

    now: float
    passed: float = 0.0


@dataclass(frozen=True)
class Reach:
    """One source of models: how long its answer took, or why there was none.

    `date` is the time it said it was, seconds since the epoch, and `asked_at` that of this computer then; `certificate`
    says why the server's certificate was not accepted.
    """

    source: str
    address: str = ""
    seconds: float | None = None
    problem: str = ""
    date: float | None = None
    asked_at: float = 0.0
    certificate: str = ""


@dataclass(frozen=True)
class Network:
    """Every source of models that was asked; none was when `offline`, by the settings or a `variable`."""

    offline: bool = False
    sources: tuple[Reach, ...] = ()
    variable: str = ""


@dataclass(frozen=True)
class Keyring:
    """The system's place for secrets, "" when there is none."""

    name: str = ""


@dataclass(frozen=True)
class Screen:
    """What a window needs on Linux: a display, and shared libraries that Qt could not find.

    `packaging` is the system's own way to install: "apt", "dnf", "zypper", "pacman", "".
    """

    display: bool = True
    missing: tuple[str, ...] = ()
    packaging: str = ""


@dataclass(frozen=True)
class Readings:
    """All of it. `unread` says why a field could not be read; `probes` are trials of torch that ended."""

    python: Python | None = None
    packages: Packages | None = None
    system: System | None = None
    cards: Cards | None = None
    places: tuple[Place, ...] | None = None
    memory: Memory | None = None
    power: Power | None = None
    network: Network | None = None
    clock: Clock | None = None
    keyring: Keyring | None = None
    screen: Screen | None = None
    probes: tuple[Probed, ...] = ()
    unread: dict[str, str] = field(default_factory=dict)
