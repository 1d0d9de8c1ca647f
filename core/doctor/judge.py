"""What readings mean: a pure function from what was read to findings, each with its facts."""

from collections.abc import Callable, Iterable, Iterator

from core.doctor.judge_card import card_findings, probe_findings, room_findings
from core.doctor.readings import Memory, Network, Readings
from core.doctor.screen import install_command
from core.findings import Check, Finding, FindingCode, found

#: Python versions that SoloTune runs on, as pyproject.toml says.
PYTHONS = ((3, 11), (3, 13))
GB = 10**9
#: Less free room than this on the disk of a folder is trouble: not even a small run can be saved. Bytes.
DISK_FULL = 1 * GB
#: Less than this is worth a word: a 7B model in 16 bits takes 15 GB.
DISK_LOW = 20 * GB
#: Main memory that SoloTune and torch take before any model is loaded, about twice over. Bytes.
MEMORY_SHORT = 2 * GB
#: A computer that has less than this in all can load small models only.
MEMORY_SMALL = 7.5 * GB
#: Windows promises memory before it is used: the 15 GB of a 7B model in 16 bits, beside what runs already.
COMMIT_SMALL = 24 * GB
#: Elsewhere memory without swap is worth a word below this.
SWAP_WANTED = 15 * GB
#: Seconds by which a clock may differ from a server's before it is worth a word, and before certificates fail.
CLOCK_OFF = 300.0
CLOCK_WRONG = 86_400.0


def judge(readings: Readings, checks: Iterable[Check] = tuple(Check)) -> tuple[Finding, ...]:
    """Return the findings of `checks`, in that order; what was not read gives none, or says why."""
    return tuple(finding for check in checks for finding in _of(check, readings))


#: The field of Readings that each check looks at.
FIELDS: dict[Check, str] = {
    Check.PYTHON: "python", Check.PACKAGES: "packages", Check.WSL: "system", Check.CARD: "cards",
    Check.CARD_ROOM: "cards", Check.DISK: "places", Check.FOLDERS: "places", Check.MEMORY: "memory",
    Check.SWAP: "memory", Check.POWER: "power", Check.NETWORK: "network", Check.CLOCK: "clock",
    Check.KEYRING: "keyring", Check.SCREEN: "screen",
}  # fmt: skip
#: What the self-test of torch looks at; its trials bear the same names.
TRIALS = (Check.TORCH, Check.PRODUCT, Check.FOUR_BIT, Check.EIGHT_BIT, Check.OPTIMIZER, Check.TRITON)


def _of(check: Check, readings: Readings) -> Iterator[Finding]:
    if check in TRIALS:
        yield from probe_findings(check, readings)
        return
    name = FIELDS[check]
    if name in readings.unread:
        yield found(check, FindingCode.UNREAD, check=check.value, text=readings.unread[name])
    elif getattr(readings, name) is not None:
        yield from _JUDGES[check](readings)


def _python(readings: Readings) -> Iterator[Finding]:
    python = readings.python
    assert python is not None
    version = tuple(int(part) for part in python.version.split(".")[:2])
    code = FindingCode.PYTHON_GOOD
    if python.bits < 64:
        code = FindingCode.PYTHON_32BIT
    elif not PYTHONS[0] <= version <= PYTHONS[1]:
        code = FindingCode.PYTHON_UNSUPPORTED
    yield found(Check.PYTHON, code, version=python.version, bits=python.bits)


def _packages(readings: Readings) -> Iterator[Finding]:
    read = readings.packages
    assert read is not None
    for code, names in (
        (FindingCode.PACKAGES_MISSING, read.missing),
        (FindingCode.PACKAGES_INCOMPLETE, read.incomplete),
        (FindingCode.PACKAGES_DIFFER, read.differ),
    ):
        if names:
            yield found(Check.PACKAGES, code, packages=", ".join(names), number=len(names))
    if not (read.missing or read.incomplete or read.differ):
        yield found(Check.PACKAGES, FindingCode.PACKAGES_GOOD, number=read.good)


def _wsl(readings: Readings) -> Iterator[Finding]:
    system = readings.system
    assert system is not None
    if system.wsl:
        yield found(Check.WSL, FindingCode.WSL_FOUND)
        for name, path in system.slow_folders:
            yield found(Check.WSL, FindingCode.WSL_SLOW_FOLDER, place=name, path=path)


def _disk(readings: Readings) -> Iterator[Finding]:
    for place in readings.places or ():
        if place.name not in ("runs", "models"):
            continue
        code = FindingCode.DISK_GOOD
        if place.free_bytes < DISK_LOW:
            code = FindingCode.DISK_FULL if place.free_bytes < DISK_FULL else FindingCode.DISK_LOW
        yield found(Check.DISK, code, place=place.name, path=place.path, free_bytes=place.free_bytes)


def _folders(readings: Readings) -> Iterator[Finding]:
    refused = [place for place in readings.places or () if place.problem]
    for place in refused:
        yield found(Check.FOLDERS, FindingCode.FOLDER_READ_ONLY, place=place.name, path=place.path, text=place.problem)
    if not refused:
        yield found(Check.FOLDERS, FindingCode.FOLDERS_GOOD, number=len(readings.places or ()))


def _memory(readings: Readings) -> Iterator[Finding]:
    memory = readings.memory
    assert memory is not None
    code = FindingCode.MEMORY_GOOD
    if memory.available_bytes < MEMORY_SHORT:
        code = FindingCode.MEMORY_SHORT
    elif memory.total_bytes < MEMORY_SMALL:
        code = FindingCode.MEMORY_SMALL
    yield found(Check.MEMORY, code, total_bytes=memory.total_bytes, free_bytes=memory.available_bytes)


def _swap(readings: Readings) -> Iterator[Finding]:
    memory = readings.memory
    assert memory is not None
    together = memory.total_bytes + memory.swap_bytes
    yield found(Check.SWAP, _swap_code(memory), swap_bytes=memory.swap_bytes, together_bytes=together)


def _swap_code(memory: Memory) -> FindingCode:
    if memory.platform == "win32":
        if memory.total_bytes + memory.swap_bytes < COMMIT_SMALL:
            return FindingCode.SWAP_SMALL
        return FindingCode.SWAP_GOOD if memory.swap_bytes else FindingCode.SWAP_OFF
    small = not memory.swap_bytes and memory.total_bytes < SWAP_WANTED
    return FindingCode.SWAP_NONE if small else FindingCode.SWAP_GOOD


def _power(readings: Readings) -> Iterator[Finding]:
    plugged = readings.power.plugged if readings.power else None
    if plugged is not None:
        yield found(Check.POWER, FindingCode.POWER_GOOD if plugged else FindingCode.POWER_BATTERY)


def _network(readings: Readings) -> Iterator[Finding]:
    network = readings.network
    assert network is not None
    if network.offline:
        facts = {"variable": network.variable} if network.variable else {}
        yield found(Check.NETWORK, FindingCode.NETWORK_OFFLINE, **facts)
        return
    reached = [source for source in network.sources if source.seconds is not None]
    for source in network.sources:
        if source.seconds is not None:
            took = round(1000 * source.seconds)
            yield found(Check.NETWORK, FindingCode.NETWORK_GOOD, source=source.source, milliseconds=took)
        elif source.certificate:
            yield found(Check.NETWORK, FindingCode.NETWORK_CERTIFICATE, source=source.source, text=source.certificate)
        elif reached:
            yield found(Check.NETWORK, FindingCode.NETWORK_SOURCE, source=source.source, text=source.problem)
    yield from _nothing_reached(network, bool(reached))


def _nothing_reached(network: Network, reached: bool) -> Iterator[Finding]:
    silent = [source for source in network.sources if not source.certificate]
    if silent and not reached:
        names = ", ".join(source.source for source in silent)
        yield found(Check.NETWORK, FindingCode.NETWORK_NONE, sources=names, text=silent[0].problem)


def _clock(readings: Readings) -> Iterator[Finding]:
    clock = readings.clock
    assert clock is not None
    told = [source for source in (readings.network or Network()).sources if source.date is not None]
    # of several servers the one that agrees best: a proxy may keep old answers, none makes up future ones
    off = min((source.asked_at - (source.date or 0.0) for source in told), key=abs, default=0.0)
    if clock.now < clock.passed:
        code = FindingCode.CLOCK_EARLY
    elif abs(off) > CLOCK_OFF:
        code = FindingCode.CLOCK_WRONG if abs(off) > CLOCK_WRONG else FindingCode.CLOCK_OFF
    else:
        code = FindingCode.CLOCK_GOOD if told else FindingCode.CLOCK_PLAUSIBLE
    yield found(Check.CLOCK, code, off_seconds=abs(round(off)), compared=len(told))


def _keyring(readings: Readings) -> Iterator[Finding]:
    name = readings.keyring.name if readings.keyring else ""
    code = FindingCode.KEYRING_GOOD if name else FindingCode.KEYRING_NONE
    yield found(Check.KEYRING, code, **({"keyring": name} if name else {}))


def _screen(readings: Readings) -> Iterator[Finding]:
    screen = readings.screen
    assert screen is not None
    if screen.missing:
        facts = {"libraries": ", ".join(screen.missing)}
        if command := install_command(screen.missing, screen.packaging):
            facts["command"] = command
        yield found(Check.SCREEN, FindingCode.SCREEN_LIBRARIES, **facts)
    elif screen.display:
        yield found(Check.SCREEN, FindingCode.SCREEN_GOOD)
    else:
        yield found(Check.SCREEN, FindingCode.SCREEN_NONE)


_JUDGES: dict[Check, Callable[[Readings], Iterator[Finding]]] = {
    Check.PYTHON: _python, Check.PACKAGES: _packages, Check.WSL: _wsl, Check.CARD: card_findings,
    Check.CARD_ROOM: room_findings, Check.DISK: _disk, Check.FOLDERS: _folders, Check.MEMORY: _memory,
    Check.SWAP: _swap, Check.POWER: _power, Check.NETWORK: _network, Check.CLOCK: _clock, Check.KEYRING: _keyring,
    Check.SCREEN: _screen,
}  # fmt: skip
