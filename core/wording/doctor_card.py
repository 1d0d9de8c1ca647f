"""What the doctor says about cards, their driver, and what torch computes on them."""

from core.i18n import N_
from core.wording.sentences import Either, Sentence
from core.wording.words import TECHNICAL

REPAIR = N_("Repair installs the build that fits this computer; runs, models and settings stay.")
NEWEST_DRIVER = N_("Install the newest NVIDIA driver and restart the computer.")
_LAST = N_("Its last words: {last_words}")

#: By FindingCode: the title, then the advice.
CARD: dict[str, tuple[Sentence, ...]] = {
    "card_good": (
        Either(
            N_("{card}, {total_bytes}, driver {driver}, CUDA {cuda}, compute capability {capability}."),
            N_("{card}, {total_bytes}, driver {driver}."),
            N_("{card}, {total_bytes}."),
        ),
    ),
    "card_none": (
        N_("There is no NVIDIA card here that SoloTune can see."),
        N_("A large model needs one. With a small model you can practise every step on the processor."),
        N_("If there is a card, its driver may be missing or too old."),
        TECHNICAL,
    ),
    "card_driver": (
        N_("The graphics driver does not answer."),
        N_("The card cannot be used until it does."),
        NEWEST_DRIVER,
        TECHNICAL,
    ),
    "card_driver_mismatch": (
        N_("The graphics driver was updated and waits for a restart."),
        N_("Restart the computer, then look again."),
        TECHNICAL,
    ),
    "card_driver_permission": (
        N_("SoloTune is not allowed to use the graphics driver."),
        N_("Your account, or the container that SoloTune runs in, has no access to the card."),
        N_("A container needs access when it is started (with Docker: --gpus all)."),
        TECHNICAL,
    ),
    "card_split": (
        N_("The card is split into parts (MIG), and none of them is here."),
        N_("Create a part with “nvidia-smi mig”, or end the splitting with “nvidia-smi -mig 0”, then look again."),
    ),
    "card_lost": (
        N_("The card stopped answering."),
        N_("This happens when the driver fails, or when the card gets too hot or too little power."),
        N_("Restart the computer, then look again."),
        TECHNICAL,
    ),
    "card_room_good": (N_("{free_bytes} of the memory of {card} are free."),),
    "card_busy": (
        N_("Other programs hold {used_bytes} of the memory of {card}."),
        N_("These can be closed: {programs}."),
        N_("{free_bytes} are free. What fits into them decides which models can be trained."),
    ),
    "torch_good": (Either(N_("PyTorch {version} for CUDA {cuda} fits the card."), N_("PyTorch {version} is ready.")),),
    "torch_processor": (N_("PyTorch {version} is ready; without a card it computes on the processor."),),
    "torch_broken": (
        N_("PyTorch cannot be loaded."),
        N_("Nothing can be trained without it."),
        REPAIR,
        Either(N_("Details: {error}: {text}"), TECHNICAL),
    ),
    "torch_cpu_build": (
        N_("PyTorch {version} was built without CUDA, so it cannot use the card."),
        N_("Training would run on the processor, many times slower, although {card} is here."),
        REPAIR,
    ),
    "torch_no_kernels": (
        N_("PyTorch {version} has no code for {card}."),
        Either(
            N_("The card has compute capability {capability}, and this build for CUDA {cuda} was made for others."),
            N_("The card has compute capability {capability}, and this build was made for others."),
        ),
        REPAIR,
    ),
    "torch_blind": (
        N_("PyTorch {version} does not see {card}, although the driver does."),
        N_("Restart the computer first: after an update of the driver that is often enough."),
        REPAIR,
    ),
    "torch_hidden": (
        N_("The environment variable CUDA_VISIBLE_DEVICES hides {card} from PyTorch."),
        N_("Remove the variable, or set it to the number of the card, and start SoloTune again."),
    ),
    "driver_old": (
        N_("The driver is too old for this build of PyTorch."),
        N_("Driver {driver} knows CUDA {driver_cuda}, and PyTorch {version} was built for CUDA {cuda}."),
        N_("Install the newest NVIDIA driver and restart the computer. Repair may find a build for the old one."),
    ),
    "product_good": (N_("Products of matrices in {format} are right ({device})."),),
    "product_wrong": (
        N_("Products of matrices in {format} come out wrong ({device})."),
        N_("A training would learn nonsense. The card may be overclocked, too hot or broken, or its driver faulty."),
        N_("Undo any overclocking, update the driver, and look again."),
        N_("The relative error is {error}."),
    ),
    "product_failed": (
        N_("A product of matrices failed ({device})."),
        NEWEST_DRIVER,
        REPAIR,
        Either(N_("Details: {error}: {text}"), TECHNICAL),
    ),
    "four_bit_good": (N_("4-bit weights (NF4) work, forward and backward ({device})."),),
    "four_bit_wrong": (
        N_("4-bit weights (NF4) give wrong numbers ({device})."),
        N_("QLoRA would learn nonsense. LoRA with a 16-bit base does not need this part."),
        REPAIR,
        N_("Relative errors: forward {forward}, backward {backward}, weights {held}."),
    ),
    "four_bit_failed": (
        N_("Computing with 4-bit weights (NF4) failed ({device})."),
        N_("QLoRA does not work without it. LoRA with a 16-bit base does."),
        REPAIR,
        Either(N_("Details: {error}: {text}"), TECHNICAL),
    ),
    "eight_bit_good": (N_("8-bit weights work, forward and backward ({device})."),),
    "eight_bit_wrong": (
        N_("8-bit weights give wrong numbers ({device})."),
        N_("LoRA on an 8-bit base would learn nonsense. QLoRA and LoRA do not need this part."),
        REPAIR,
        N_("Relative errors: forward {forward}, backward {backward}."),
    ),
    "eight_bit_failed": (
        N_("Computing with 8-bit weights failed ({device})."),
        N_("LoRA on an 8-bit base does not work without it. QLoRA and LoRA do."),
        REPAIR,
        Either(N_("Details: {error}: {text}"), TECHNICAL),
    ),
    "optimizer_good": (N_("The fused and the 8-bit optimizer take the right steps ({device})."),),
    "optimizer_wrong": (
        N_("An optimizer takes wrong steps ({device})."),
        N_("A training would learn nonsense."),
        REPAIR,
        N_("Relative errors after five steps: fused {fused}, 8-bit {eight_bit}."),
    ),
    "optimizer_failed": (
        N_("An optimizer fails ({device})."),
        REPAIR,
        Either(N_("Details: {error}: {text}"), TECHNICAL),
    ),
    "triton_good": (N_("Triton {version} is here."),),
    "triton_none": (
        N_("Triton is not here."),
        N_("Only Liger's faster kernels need it; everything else works without."),
    ),
    "probe_crashed": (
        Either(
            N_("The test of “{check}” ended the process ({device})."), N_("The test of “{check}” ended the process.")
        ),
        N_("A training would end the same way. Update the driver; if that does not help, repair."),
        REPAIR,
        Either(N_("Signal: {signal}."), N_("Exit code: {exitcode}.")),
        _LAST,
    ),
    "probe_hung": (
        Either(
            N_("The test of “{check}” did not end ({device})."),
            N_("The test of “{check}” did not end."),
        ),
        N_("It was stopped after {seconds} seconds."),
        N_("Restart the computer and look again. If it stays so, update the driver."),
    ),
    "probe_left_out": (
        N_("“{check}” is not tested while a training runs."),
        N_("The test would take memory from it. Look again when the training has ended."),
    ),
}
