"""Models from the Hugging Face Hub: safetensors, tokenizer and config only."""

import os
import shutil
from pathlib import Path
from typing import Any

from core.events import StageName
from core.files import free_bytes
from core.hub.folder import check_model_folder
from core.hub.source import Convert, Tell
from core.problems import Code, Trouble

_WANTED = ("*.safetensors", "*.json", "*.jinja", "tokenizer.model", "*.txt", "LICENSE*", "README.md")
_UNWANTED = ("original/*", "consolidated*", "*.bin", "*.gguf", "*.pth", "*.onnx", "onnx/*", "metal/*")


class HuggingFaceSource:
    """One repository of the Hub (or of the mirror in HF_ENDPOINT)."""

    def __init__(self, repository: str) -> None:
        self._repository = repository

    def fetch(self, target: Path, tell: Tell, convert: Convert) -> Path:
        """See core.hub.source.Source. Files that already arrived are kept by the Hub's own cache beside them."""
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from huggingface_hub import HfApi, snapshot_download

        tell(StageName.DOWNLOADING, 0, 0)
        total = self._size(HfApi())
        if free_bytes(target) < total * 1.05:
            raise Trouble(Code.DISK_FULL, path=target, needed_bytes=int(total * 1.05), free_bytes=free_bytes(target))
        # kept on failure: the next try goes on with what has arrived
        beside = target.with_name(f".{target.name}.download")
        snapshot_download(
            self._repository, local_dir=beside, allow_patterns=list(_WANTED), ignore_patterns=list(_UNWANTED),
            tqdm_class=_Progress(tell, total).bar_class(),
        )  # fmt: skip
        shutil.rmtree(beside / ".cache", ignore_errors=True)
        check_model_folder(beside)
        beside.replace(target)
        return target

    def _size(self, api: "object") -> int:
        from fnmatch import fnmatch

        info = api.model_info(self._repository, files_metadata=True)  # type: ignore[attr-defined]
        return sum(
            f.size or 0
            for f in info.siblings or ()
            if any(fnmatch(f.rfilename, p) for p in _WANTED) and not any(fnmatch(f.rfilename, p) for p in _UNWANTED)
        )


class _Progress:
    """Adds up the byte bars that snapshot_download makes."""

    def __init__(self, tell: Tell, total: int) -> None:
        self._tell, self._total, self._done = tell, total, 0

    def bar_class(self) -> type:
        from tqdm.auto import tqdm

        progress = self

        class Bar(tqdm):
            def __init__(self, *args: object, **kwargs: object) -> None:
                kwargs["disable"] = False
                kwargs["file"] = open(os.devnull, "w")  # noqa: PTH123, SIM115
                super().__init__(*args, **kwargs)

            def update(self, n: float | None = 1) -> Any:
                if self.unit == "B":
                    progress.add(int(n or 0))
                return super().update(n)

        return Bar

    def add(self, count: int) -> None:
        self._done += count
        self._tell(StageName.DOWNLOADING, min(self._done, self._total), self._total)
