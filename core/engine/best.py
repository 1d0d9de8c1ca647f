"""The best adapter by validation: kept on the side while training goes on, and put back at its end."""

import shutil
from collections.abc import Callable
from pathlib import Path

from peft import PeftModel, load_peft_weights, set_peft_model_state_dict

from core.events import Evaluated
from core.files import folder_in_place
from core.history import RunHistory


class Best:
    """Keeps in `folder` the adapter of the evaluation with the lowest perplexity of `history`.

    The documents' rule (D3): training ends when `patience` evaluations in a row brought nothing better; 0 keeps and
    stops nothing. `saved` writes when there is room for it (core.engine.obedience).
    """

    def __init__(
        self,
        folder: Path,
        patience: int,
        history: RunHistory,
        saved: Callable[[int, Callable[[], object]], bool] = lambda _step, write: write() is None,
    ) -> None:
        self._folder, self._patience, self._history, self._saved = folder, patience, history, saved

    @property
    def evaluation(self) -> Evaluated | None:
        """The best evaluation so far, the earliest of equal ones."""
        known = [(each.loss, each.step, each) for each in self._history.evaluations if each.loss is not None]
        return min(known)[2] if known else None

    @property
    def waited(self) -> int:
        """Evaluations since the best one."""
        best = self.evaluation
        return sum(best is not None and each.step > best.step for each in self._history.evaluations)

    def judge(self, model: PeftModel) -> bool:
        """Keep the adapter when the newest evaluation is the best; return whether training should end."""
        if not self._patience:
            return False
        best = self.evaluation
        if self.waited == 0 and best is not None and not self._saved(best.step, lambda: self._write(model)):
            # an older one would be taken for this one
            shutil.rmtree(self._folder, ignore_errors=True)
        return self.waited >= self._patience

    def _write(self, model: PeftModel) -> None:
        with folder_in_place(self._folder) as folder:
            model.save_pretrained(folder)

    def put_back(self, model: PeftModel) -> Evaluated | None:
        """Give the model its best adapter back; None when the newest one is the best, or nothing was kept."""
        best = self.evaluation
        if not self._patience or best is None or self.waited == 0 or not self._folder.is_dir():
            return None
        set_peft_model_state_dict(model, load_peft_weights(str(self._folder), device="cpu"))
        return best
