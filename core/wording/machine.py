"""Words for trouble with the computer: card, memory, disk, network, and the work that died of it."""

from core.i18n import N_
from core.problems import Code
from core.wording.sentences import Either
from core.wording.words import KEPT, TECHNICAL, WHERE, Action, Entry

MACHINE: dict[Code, Entry] = {
    Code.NO_GPU: Entry(
        N_("SoloTune found no NVIDIA card in this computer."),
        (
            N_("A large model needs one. With a small model you can practise every step on the processor."),
            N_("If there is a card, its driver may be missing or too old."),
        ),
        Action.PRACTICE,
    ),
    Code.DRIVER: Entry(
        N_("The graphics driver does not answer."),
        (
            N_("The card cannot be used until it does."),
            N_("Install the newest NVIDIA driver and restart the computer."),
            TECHNICAL,
        ),
        Action.GET_DRIVER,
    ),
    Code.DRIVER_MISMATCH: Entry(
        N_("The graphics driver was updated and waits for a restart."),
        (
            N_("One half of the driver is new and the other half still old, so the card cannot be used."),
            N_("Restart the computer, then look again."),
            TECHNICAL,
        ),
        Action.RETRY,
    ),
    Code.DRIVER_PERMISSION: Entry(
        N_("SoloTune is not allowed to use the graphics driver."),
        (
            N_("Your account, or the container that SoloTune runs in, has no access to the card."),
            N_("A container needs access when it is started (with Docker: --gpus all)."),
            TECHNICAL,
        ),
        Action.RETRY,
    ),
    Code.CARD_SPLIT: Entry(
        N_("The card is split into parts (MIG), and none of them is here."),
        (
            N_("A card that is split can only be used through its parts."),
            N_("Create a part with “nvidia-smi mig”, or end the splitting with “nvidia-smi -mig 0”, then look again."),
        ),
        Action.RETRY,
    ),
    Code.CARD_GONE: Entry(
        N_("The card that this plan was made for is not in this computer."),
        (
            N_("It may be unplugged, switched off or hidden from SoloTune."),
            KEPT,
            N_("Connect it and try again, or choose another card."),
        ),
        Action.RETRY,
    ),
    Code.CARD_UNKNOWN: Entry(
        Either(N_("SoloTune knows no card named “{card}”."), N_("SoloTune does not know this card.")),
        (
            N_("Do you mean one of these: {near}?"),
            N_("Type a name such as RTX 4090, or the card's memory in GB, such as 24."),
        ),
        Action.RETRY,
    ),
    Code.GPU_MEMORY: Entry(
        Either(N_("The card ran out of memory at step {step}."), N_("The card ran out of memory.")),
        (
            Either(
                N_("Nothing is lost: the last checkpoint is step {checkpoint}."),
                N_("Nothing is lost: everything saved so far is kept."),
            ),
            N_("About {needed_bytes} were needed and {free_bytes} were free."),
            N_("Close other programs that use the card, or try again with settings that need less memory."),
        ),
        Action.TRY_SMALLER,
    ),
    Code.SHARED_MODEL: Entry(
        Either(
            N_("{way} is not supported. FSDP is."),
            N_("The model can be shared out over several cards with FSDP only."),
        ),
        (
            Either(
                N_("Run `accelerate config`, choose several cards without {way}, then start again."),
                N_("Run `accelerate config`, choose several cards, then start again."),
            ),
            N_("FSDP shares out a base in 16 bits that is too large for one card."),
            N_("A base in 4 bits (QLoRA) takes a quarter of the memory."),
        ),
        Action.RETRY,
    ),
    Code.SHARED_BITS: Entry(
        Either(
            N_("FSDP shares out a base in 16 bits. This one is held in {held}."),
            N_("FSDP shares out a base in 16 bits only."),
        ),
        (
            N_("A base in 4 bits (QLoRA) takes a quarter of the memory."),
            N_("Start the same plan without FSDP (`accelerate launch --multi_gpu`), or choose LoRA in the plan."),
        ),
        Action.RETRY,
    ),
    Code.GPU_LOST: Entry(
        N_("The card stopped answering."),
        (
            N_("This happens when the driver fails, or when the card gets too hot or too little power."),
            KEPT,
            N_("Restart the computer, then go on."),
        ),
        Action.RESUME,
    ),
    Code.SYSTEM_MEMORY: Entry(
        N_("The computer ran out of memory."),
        (
            N_("This is the main memory (RAM), not the memory of the card."),
            N_("About {needed_bytes} were needed and {free_bytes} were free."),
            KEPT,
            N_("Close other programs and try again, or choose a smaller model."),
        ),
        Action.RETRY,
    ),
    Code.DISK_FULL: Entry(
        Either(
            N_("This needs {needed_bytes} of disk space, and {free_bytes} are free."),
            N_("This needs {needed_bytes} of disk space, and less is free."),
            N_("The disk is full."),
        ),
        (WHERE, KEPT, N_("Free some space and try again, or choose a folder on another disk.")),
        Action.FREE_DISK,
    ),
    Code.NO_NETWORK: Entry(
        N_("The internet could not be reached."),
        (
            N_("It was needed for {what}."),
            N_("Check the connection and any proxy, then try again. What is already downloaded is kept."),
            N_("Without a connection, choose a model folder that is on this computer."),
            TECHNICAL,
        ),
        Action.RETRY,
    ),
    Code.OFFLINE: Entry(
        N_("SoloTune is set to stay offline."),
        (
            N_("Nothing was sent, and nothing was fetched."),
            N_("To fetch models, let it go online in the settings. Models on this computer work without."),
        ),
        Action.OPEN_SETTINGS,
    ),
    Code.SOURCE_BUSY: Entry(
        Either(N_("{host} does not give out the model just now."), N_("The model is not given out just now.")),
        (
            N_("The server was asked several times and answered with error {status}."),
            N_("Try again later, or choose another source in the settings. What is already downloaded is kept."),
        ),
        Action.RETRY,
    ),
    Code.DOWNLOAD_BROKEN: Entry(
        Either(N_("The download of {what} did not arrive whole."), N_("The download did not arrive whole.")),
        (
            N_("SoloTune does not use it. Try again; if it happens twice, a proxy may be changing files on the way."),
            TECHNICAL,
        ),
        Action.RETRY,
    ),
    Code.DOWNLOAD_BUSY: Entry(
        N_("This model is being downloaded already."),
        (N_("Another window or command of SoloTune does that. Wait for it, or stop it there."), WHERE),
        Action.RETRY,
    ),
    Code.READ_ONLY: Entry(
        Either(N_("SoloTune is not allowed to use {path}."), N_("SoloTune is not allowed to write there.")),
        (Either("{reason}", N_("The place is read-only or belongs to someone else. Choose a folder of your own.")),),
        Action.CHOOSE_FOLDER,
    ),
    Code.FOLDER_NOT_EMPTY: Entry(
        Either(N_("The folder {path} is not empty."), N_("This folder is not empty.")),
        (N_("Nothing in it was changed. Choose an empty folder or a new name."),),
        Action.CHOOSE_FOLDER,
    ),
    Code.FOLDER_MOVING: Entry(
        N_("The folder of the runs or of the models is being moved."),
        (N_("Nothing was started. The settings show how far it is; start again when it has arrived."),),
        Action.RETRY,
    ),
    Code.WORKER_KILLED: Entry(
        N_("The work was ended from outside."),
        (
            N_("The system does this when the main memory (RAM) runs short, and so does anyone who ends the process."),
            KEPT,
            N_("Close other programs, then go on."),
            N_("Signal: {signal}."),
        ),
        Action.RESUME,
    ),
    Code.WORKER_CRASHED: Entry(
        N_("The work ended unexpectedly."),
        (
            KEPT,
            N_("The log may say why."),
            N_("Its last words: {last_words}"),
            Either(N_("Signal: {signal}."), N_("Exit code: {exitcode}.")),
        ),
        Action.OPEN_LOG,
    ),
    Code.WORKER_SILENT: Entry(
        N_("The work ended without saying why."),
        (KEPT, N_("The log may say why."), N_("Its last words: {last_words}")),
        Action.OPEN_LOG,
    ),
    Code.PACKAGE_MISSING: Entry(
        Either(N_("A part of SoloTune is missing: {package}."), N_("A part of SoloTune is missing.")),
        (N_("Close SoloTune and start run.py again: it installs what is missing."),),
    ),
    Code.UNKNOWN: Entry(
        N_("Something unexpected went wrong."),
        (
            N_("The log may say more, and a report helps to mend it."),
            Either(N_("Details: {error}: {text}"), TECHNICAL),
        ),
        Action.REPORT,
    ),
}
