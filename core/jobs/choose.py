"""Which card a job may use: told to torch before it looks for cards."""

import os
import sys
from pathlib import Path

from core.gpu import visible_device
from core.runs import RunFolder


def choose_card(run_folder: str) -> None:
    """Show torch the plan's card only; must come before torch starts CUDA. An own choice in the environment wins."""
    if sys.platform == "linux":
        # rows of changing length leave fewer gaps that nothing fits into; torch offers it on Linux alone
        os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    if "LOCAL_RANK" in os.environ:
        # one of several processes: accelerate gives each a card of its own, or none
        if os.environ.get("ACCELERATE_USE_CPU", "false").lower() in ("true", "1"):
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        return
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return
    os.environ["CUDA_VISIBLE_DEVICES"] = visible_device(RunFolder.open(Path(run_folder)).plan().card)
    # CUDA counts the fastest card first, the driver and the plan count along the bus
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
