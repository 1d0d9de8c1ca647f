"""Cleaning a data set reversibly: what to do is a value, what was done a report, the files stay as they are.

This package's face is light; `core.data.clean.pipeline.clean` does the work and loads numpy, rensa and ftfy.
"""

from core.data.clean.cleaning import Cleaning, Keep, Mode, StepName, Switch, row_key
from core.data.clean.report import CleanReport, Effect, RowRef, SetKind, StepReport, Touch

__all__ = [
    "CleanReport", "Cleaning", "Effect", "Keep", "Mode", "RowRef", "SetKind", "StepName", "StepReport", "Switch",
    "Touch", "row_key",
]  # fmt: skip
