"""What the doctor looks at and what it can find: codes with a level and a fix, and how they are told as events.

A finding is plain data; core.wording.doctor turns it into words, core.doctor.judge makes it from readings.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.events import Event


class Level(StrEnum):
    """How much a finding matters: all is well, good to know, may hurt, will fail."""

    GOOD = "good"
    NOTE = "note"
    CAUTION = "caution"
    TROUBLE = "trouble"


class Check(StrEnum):
    """What the doctor looks at, in this order: one row or a few of them each."""

    PYTHON = "python"
    PACKAGES = "packages"
    WSL = "wsl"
    CARD = "card"
    CARD_ROOM = "card_room"
    TORCH = "torch"
    PRODUCT = "product"
    FOUR_BIT = "four_bit"
    EIGHT_BIT = "eight_bit"
    OPTIMIZER = "optimizer"
    TRITON = "triton"
    DISK = "disk"
    FOLDERS = "folders"
    MEMORY = "memory"
    SWAP = "swap"
    POWER = "power"
    NETWORK = "network"
    CLOCK = "clock"
    KEYRING = "keyring"
    SCREEN = "screen"


class Fix(StrEnum):
    """What the app can do about a finding."""

    REPAIR = "repair"
    OPEN_FOLDER = "open_folder"
    GET_DRIVER = "get_driver"
    FREE_MEMORY = "free_memory"
    SETTINGS = "settings"


class FindingCode(StrEnum):
    """Everything the doctor can say; the facts that go with each stand in core.doctor.judge."""

    PYTHON_GOOD = "python_good"
    PYTHON_32BIT = "python_32bit"
    PYTHON_UNSUPPORTED = "python_unsupported"
    PACKAGES_GOOD = "packages_good"
    PACKAGES_MISSING = "packages_missing"
    PACKAGES_INCOMPLETE = "packages_incomplete"
    PACKAGES_DIFFER = "packages_differ"
    WSL_FOUND = "wsl_found"
    WSL_SLOW_FOLDER = "wsl_slow_folder"
    CARD_GOOD = "card_good"
    CARD_NONE = "card_none"
    CARD_DRIVER = "card_driver"
    CARD_DRIVER_MISMATCH = "card_driver_mismatch"
    CARD_DRIVER_PERMISSION = "card_driver_permission"
    CARD_SPLIT = "card_split"
    CARD_LOST = "card_lost"
    CARD_ROOM_GOOD = "card_room_good"
    CARD_BUSY = "card_busy"
    TORCH_GOOD = "torch_good"
    TORCH_PROCESSOR = "torch_processor"
    TORCH_BROKEN = "torch_broken"
    TORCH_CPU_BUILD = "torch_cpu_build"
    TORCH_NO_KERNELS = "torch_no_kernels"
    TORCH_BLIND = "torch_blind"
    TORCH_HIDDEN = "torch_hidden"
    DRIVER_OLD = "driver_old"
    PRODUCT_GOOD = "product_good"
    PRODUCT_WRONG = "product_wrong"
    PRODUCT_FAILED = "product_failed"
    FOUR_BIT_GOOD = "four_bit_good"
    FOUR_BIT_WRONG = "four_bit_wrong"
    FOUR_BIT_FAILED = "four_bit_failed"
    EIGHT_BIT_GOOD = "eight_bit_good"
    EIGHT_BIT_WRONG = "eight_bit_wrong"
    EIGHT_BIT_FAILED = "eight_bit_failed"
    OPTIMIZER_GOOD = "optimizer_good"
    OPTIMIZER_WRONG = "optimizer_wrong"
    OPTIMIZER_FAILED = "optimizer_failed"
    TRITON_GOOD = "triton_good"
    TRITON_NONE = "triton_none"
    PROBE_CRASHED = "probe_crashed"
    PROBE_HUNG = "probe_hung"
    PROBE_LEFT_OUT = "probe_left_out"
    DISK_GOOD = "disk_good"
    DISK_LOW = "disk_low"
    DISK_FULL = "disk_full"
    FOLDERS_GOOD = "folders_good"
    FOLDER_READ_ONLY = "folder_read_only"
    MEMORY_GOOD = "memory_good"
    MEMORY_SMALL = "memory_small"
    MEMORY_SHORT = "memory_short"
    SWAP_GOOD = "swap_good"
    SWAP_OFF = "swap_off"
    SWAP_SMALL = "swap_small"
    SWAP_NONE = "swap_none"
    POWER_GOOD = "power_good"
    POWER_BATTERY = "power_battery"
    NETWORK_GOOD = "network_good"
    NETWORK_SOURCE = "network_source"
    NETWORK_CERTIFICATE = "network_certificate"
    NETWORK_NONE = "network_none"
    NETWORK_OFFLINE = "network_offline"
    CLOCK_GOOD = "clock_good"
    CLOCK_PLAUSIBLE = "clock_plausible"
    CLOCK_OFF = "clock_off"
    CLOCK_WRONG = "clock_wrong"
    CLOCK_EARLY = "clock_early"
    KEYRING_GOOD = "keyring_good"
    KEYRING_NONE = "keyring_none"
    SCREEN_GOOD = "screen_good"
    SCREEN_LIBRARIES = "screen_libraries"
    SCREEN_NONE = "screen_none"
    UNREAD = "unread"


_TROUBLE: dict[FindingCode, Fix | None] = {
    FindingCode.PYTHON_32BIT: None,
    FindingCode.PYTHON_UNSUPPORTED: None,
    FindingCode.PACKAGES_MISSING: Fix.REPAIR,
    FindingCode.PACKAGES_INCOMPLETE: Fix.REPAIR,
    FindingCode.CARD_DRIVER: Fix.GET_DRIVER,
    FindingCode.CARD_DRIVER_MISMATCH: None,
    FindingCode.CARD_DRIVER_PERMISSION: None,
    FindingCode.CARD_SPLIT: None,
    FindingCode.CARD_LOST: None,
    FindingCode.TORCH_BROKEN: Fix.REPAIR,
    FindingCode.TORCH_CPU_BUILD: Fix.REPAIR,
    FindingCode.TORCH_NO_KERNELS: Fix.REPAIR,
    FindingCode.TORCH_BLIND: Fix.REPAIR,
    FindingCode.DRIVER_OLD: Fix.GET_DRIVER,
    FindingCode.PRODUCT_WRONG: None,
    FindingCode.PRODUCT_FAILED: Fix.REPAIR,
    FindingCode.FOUR_BIT_WRONG: Fix.REPAIR,
    FindingCode.FOUR_BIT_FAILED: Fix.REPAIR,
    FindingCode.EIGHT_BIT_WRONG: Fix.REPAIR,
    FindingCode.EIGHT_BIT_FAILED: Fix.REPAIR,
    FindingCode.OPTIMIZER_WRONG: Fix.REPAIR,
    FindingCode.OPTIMIZER_FAILED: Fix.REPAIR,
    FindingCode.PROBE_CRASHED: Fix.REPAIR,
    FindingCode.PROBE_HUNG: None,
    FindingCode.DISK_FULL: Fix.OPEN_FOLDER,
    FindingCode.FOLDER_READ_ONLY: Fix.SETTINGS,
    FindingCode.CLOCK_WRONG: None,
    FindingCode.CLOCK_EARLY: None,
    FindingCode.SCREEN_LIBRARIES: None,
}
_CAUTION: dict[FindingCode, Fix | None] = {
    FindingCode.PACKAGES_DIFFER: Fix.REPAIR,
    FindingCode.WSL_SLOW_FOLDER: Fix.SETTINGS,
    FindingCode.CARD_NONE: Fix.GET_DRIVER,
    FindingCode.CARD_BUSY: Fix.FREE_MEMORY,
    FindingCode.TORCH_HIDDEN: None,
    FindingCode.DISK_LOW: Fix.OPEN_FOLDER,
    FindingCode.MEMORY_SMALL: None,
    FindingCode.MEMORY_SHORT: Fix.FREE_MEMORY,
    FindingCode.SWAP_OFF: None,
    FindingCode.SWAP_SMALL: None,
    FindingCode.POWER_BATTERY: None,
    FindingCode.NETWORK_CERTIFICATE: None,
    FindingCode.NETWORK_NONE: Fix.SETTINGS,
    FindingCode.CLOCK_OFF: None,
    FindingCode.UNREAD: None,
}
_NOTE: dict[FindingCode, Fix | None] = {
    FindingCode.WSL_FOUND: None,
    FindingCode.TRITON_NONE: None,
    FindingCode.PROBE_LEFT_OUT: None,
    FindingCode.SWAP_NONE: None,
    FindingCode.NETWORK_SOURCE: Fix.SETTINGS,
    FindingCode.NETWORK_OFFLINE: Fix.SETTINGS,
    FindingCode.KEYRING_NONE: None,
    FindingCode.SCREEN_NONE: None,
}
_WEIGHTS = ((Level.TROUBLE, _TROUBLE), (Level.CAUTION, _CAUTION), (Level.NOTE, _NOTE))


@dataclass(frozen=True)
class Finding:
    """One row of the doctor's table: facts are JSON-ready, `fix` is what the app can do about it, None for nothing."""

    check: Check
    code: FindingCode
    level: Level
    facts: dict[str, Any] = field(default_factory=dict)
    fix: Fix | None = None


@dataclass(frozen=True, kw_only=True)
class Diagnosed(Event):
    """The doctor looked at something."""

    finding: Finding


@dataclass(frozen=True, kw_only=True)
class Probed(Event):
    """What the self-test of torch says of one trial on one device, when it begins and when it ends.

    `outcome` is "begun", "done", "failed" (facts: error, text), "crashed", "hung" or "left_out".
    """

    name: str
    device: str = ""
    outcome: str = "done"
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


def found(check: Check, code: FindingCode, /, **facts: Any) -> Finding:
    """Return the finding with the level and the fix that its code has."""
    for level, codes in _WEIGHTS:
        if code in codes:
            return Finding(check, code, level, facts, codes[code])
    return Finding(check, code, Level.GOOD, facts)


def worst(findings: tuple[Finding, ...]) -> Level:
    """The level of the finding that matters most; GOOD for none."""
    order = list(Level)
    return max((finding.level for finding in findings), key=order.index, default=Level.GOOD)
