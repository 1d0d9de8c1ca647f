"""What the doctor says about the computer itself: Python, packages, disks, memory, network, clock, window."""

from core.i18n import N_, NN_
from core.wording.doctor_card import REPAIR
from core.wording.sentences import Either, Sentence
from core.wording.words import TECHNICAL, WHERE

#: By FindingCode: the title, then the advice.
COMPUTER: dict[str, tuple[Sentence, ...]] = {
    "python_good": (N_("Python {version}, {bits} bits."),),
    "python_32bit": (
        N_("This is a Python of {bits} bits, which PyTorch does not support."),
        N_("Install Python 3.13 with 64 bits and start run.py with it."),
    ),
    "python_unsupported": (
        N_("SoloTune does not support Python {version}."),
        N_("Install Python 3.13 beside it and start run.py with that one."),
    ),
    "packages_good": (N_("All {number} packages are here, whole, and of the tested versions."),),
    "packages_missing": (
        NN_("{number} package is missing.", "{number} packages are missing."),
        N_("Missing: {packages}."),
        REPAIR,
    ),
    "packages_incomplete": (
        NN_("{number} package is damaged or only half there.", "{number} packages are damaged or only half there."),
        N_("Damaged: {packages}."),
        REPAIR,
    ),
    "packages_differ": (
        NN_("{number} package has another version than tested.", "{number} packages have other versions than tested."),
        N_("The tested version stands in brackets: {packages}."),
        REPAIR,
    ),
    "wsl_found": (
        N_("SoloTune runs on Linux inside Windows (WSL)."),
        N_("Windows lends it half of the main memory, unless the file .wslconfig says more."),
        N_("The card's driver is the one of Windows; none is to be installed inside."),
    ),
    "wsl_slow_folder": (
        N_("The folder for {place} lies on Windows' side, where reading is many times slower."),
        N_("Choose a folder inside Linux, such as one in your home."),
        WHERE,
    ),
    "disk_good": (N_("{free_bytes} are free for {place}."),),
    "disk_low": (
        N_("Only {free_bytes} are free for {place}."),
        N_("A model of 7B takes 15 GB. Free some space, or choose a folder on another disk in the settings."),
        WHERE,
    ),
    "disk_full": (
        N_("The disk for {place} is nearly full: {free_bytes} are free."),
        N_("A training could not save itself. Free some space, or choose a folder on another disk in the settings."),
        WHERE,
    ),
    "folders_good": (N_("SoloTune can write to all of its folders."),),
    "folder_read_only": (
        N_("SoloTune cannot write to the folder for {place}."),
        N_("It may be read-only, full, or belong to someone else. Choose a folder of your own in the settings."),
        WHERE,
        TECHNICAL,
    ),
    "memory_good": (N_("{total_bytes} of main memory, {free_bytes} of it free."),),
    "memory_small": (
        N_("This computer has {total_bytes} of main memory."),
        N_("That is enough for small models only."),
    ),
    "memory_short": (
        N_("Only {free_bytes} of main memory are free."),
        N_("Close other programs before you train: the system ends what it has no memory for."),
        N_("There are {total_bytes} in all."),
    ),
    "swap_good": (N_("Main memory and page file (swap) are {together_bytes} together."),),
    "swap_off": (
        N_("Windows has no page file."),
        N_("Loading a model can fail then although memory is free, with “the paging file is too small”."),
        N_(
            "In Windows open System, Advanced system settings, Performance, Advanced, Virtual memory, and let Windows "
            "manage the size."
        ),
    ),
    "swap_small": (
        N_("Main memory and page file are {together_bytes} together."),
        N_("Loading a model of 7B can fail with “the paging file is too small”."),
        N_(
            "In Windows open System, Advanced system settings, Performance, Advanced, Virtual memory, and let Windows "
            "manage the size."
        ),
    ),
    "swap_none": (
        N_("There is no swap beside {together_bytes} of main memory."),
        N_("When memory runs short the system ends programs. A few GB of swap give it room."),
    ),
    "power_good": (N_("The computer is plugged in."),),
    "power_battery": (
        N_("The computer runs on its battery."),
        N_("The card is slowed down then, and the training ends with the battery. Plug it in."),
    ),
    "network_good": (N_("{source} answers within {milliseconds} ms."),),
    "network_source": (
        N_("{source} cannot be reached."),
        N_("Another source can. Choose it in the settings, or check the proxy."),
        TECHNICAL,
    ),
    "network_certificate": (
        N_("The secure connection to {source} is not accepted."),
        N_("Check the clock of this computer. A company's proxy may also be reading along: ask who runs it."),
        TECHNICAL,
    ),
    "network_none": (
        N_("No source of models can be reached."),
        N_("Tried: {sources}."),
        N_("Check the connection and the proxy in the settings. Models that are on this computer work all the same."),
        TECHNICAL,
    ),
    "network_offline": (
        N_("SoloTune is offline: no source of models was asked."),
        N_("Models that are on this computer work."),
        Either(
            N_("The environment variable {variable} says so. Remove it to download others."),
            N_("To download others, switch the network on in the settings."),
        ),
    ),
    "clock_good": (
        NN_(
            "The clock agrees with {compared} server.",
            "The clock agrees with {compared} servers.",
        ),
    ),
    "clock_plausible": (N_("The clock shows a time that can be right."),),
    "clock_off": (
        N_("The clock is off by {off}."),
        N_("Let the system set it by itself. Secure connections fail when it is off by much more."),
    ),
    "clock_wrong": (
        N_("The clock is off by {off}."),
        N_("Secure connections fail, and with them every download. Set the date and the time."),
    ),
    "clock_early": (
        N_("The clock shows a day that has long passed."),
        N_("Secure connections fail, and with them every download. Set the date and the time."),
    ),
    "keyring_good": (N_("Access tokens can be kept in the system's keyring ({keyring})."),),
    "keyring_none": (
        N_("This system has no keyring that SoloTune can use."),
        N_("An access token for gated models is then kept in memory only, until the window closes."),
    ),
    "screen_good": (N_("The window can be opened here."),),
    "screen_none": (
        N_("There is no screen here to open a window on."),
        N_("Every command works without one."),
    ),
    "screen_libraries": (
        N_("Libraries that the window needs are missing."),
        N_("Missing: {libraries}."),
        N_("Install them with: {command}"),
    ),
    "unread": (
        N_("“{check}” could not be looked at."),
        TECHNICAL,
    ),
}
