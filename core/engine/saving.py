"""What a run leaves behind for use: adapter, tokenizer, generation config and card."""

from pathlib import Path

from peft import PeftModel
from transformers import GenerationConfig

from core.engine.adapters import write_adapter
from core.engine.card import adapter_card
from core.engine.encoding import ChatFormat
from core.files import folder_in_place
from core.runs import RunFolder


def save_adapter(model: PeftModel, chat: ChatFormat, base: Path, run: RunFolder) -> None:
    """Write adapter, tokenizer, chat template, generation config and card, beside and renamed."""
    # adapters are passed on: they name the model as the plan does, not a folder of this computer
    model.peft_config["default"].base_model_name_or_path = run.plan().model
    with folder_in_place(run.adapter) as folder:
        write_adapter(model, folder)
        (folder / "README.md").write_text(adapter_card(run), encoding="utf-8")
        chat.tokenizer.save_pretrained(folder)
        stopping_config(base, chat).save_pretrained(folder)


def stopping_config(base: Path, chat: ChatFormat) -> GenerationConfig:
    """Return the base's generation config with the trained end-of-turn token among its stop tokens."""
    try:
        config = GenerationConfig.from_pretrained(base, local_files_only=True)
    except OSError:
        config = GenerationConfig()
    stops = config.eos_token_id
    known = set(stops) if isinstance(stops, list) else {stops} - {None}
    known |= {chat.end_id}
    config.eos_token_id = sorted(known) if len(known) > 1 else known.pop()
    if config.pad_token_id is None:
        config.pad_token_id = pad_id(chat)
    return config


def pad_id(chat: ChatFormat) -> int:
    """The token that fills short rows; labels and mask make sure that it is never learned."""
    pad = chat.tokenizer.pad_token_id
    return int(pad if pad is not None else chat.end_id)
