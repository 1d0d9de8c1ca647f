"""The short cards that go with an adapter and with a merged model."""

from typing import Any

from core.choices import Bias, Initialisation
from core.plan import TrainingPlan
from core.runs import RunFolder


def adapter_card(run: RunFolder) -> str:
    """Return README.md of an adapter: what it belongs to and how to load it."""
    plan = run.plan()
    return f"""---
base_model: {plan.model}
library_name: peft
tags: [solotune, lora]
---

# {run.name}

A LoRA adapter (rank {plan.rank}, alpha {plan.alpha}, targets {_targets(plan)}), fine-tuned with
SoloTune ({plan.method.value}). It needs its base model: {plan.model}.

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("BASE MODEL"), ".")
```
"""


def _targets(plan: TrainingPlan) -> str:
    """The modules that were adapted, and what was chosen beside the usual: "q_proj, v_proj, rsLoRA"."""
    said = [("rsLoRA", plan.rslora), ("DoRA", plan.dora), (f"LoRA+ {plan.lora_plus:g}", plan.lora_plus != 1.0),
            (f"rank {plan.shallow_rank} in the first half of the layers", plan.shallow_rank > 0),
            (f"started with {plan.initialisation}", plan.initialisation is not Initialisation.DEFAULT),
            (f"NEFTune {plan.neftune:g}", plan.neftune > 0),
            (f"biases {plan.bias}", plan.bias is not Bias.NONE)]  # fmt: skip
    return ", ".join([*plan.target_modules, *(words for words, chosen in said if chosen)])


def model_card(run: RunFolder, proof: list[dict[str, Any]]) -> str:
    """Return README.md: what it is, how it was made, how it was checked, how to use it."""
    plan = run.plan()
    history = run.history()
    same = sum(bool(row["same"]) for row in proof)
    rate = f"{plan.learning_rate:g}"
    loss = (
        f"{history.first_loss:.3f} → {history.last_loss:.3f}" if history.last_loss and history.first_loss else "unknown"
    )
    return f"""---
base_model: {plan.model}
library_name: transformers
pipeline_tag: text-generation
tags: [solotune, {plan.method.value}]
---

# {run.name}

A merged 16-bit model, fine-tuned with SoloTune.

| | |
|---|---|
| base model | {plan.model} |
| method | {plan.method.value}, rank {plan.rank}, alpha {plan.alpha}, targets {_targets(plan)} |
| training | {history.step} steps of {plan.effective_batch} rows, learning rate {rate}, seed {plan.seed} |
| training loss | {loss} |
| check | {same} of {len(proof)} greedy answers identical, token for token, to the adapter on the 16-bit base |

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")
model = AutoModelForCausalLM.from_pretrained(".")
prompt = tokenizer.apply_chat_template(
    [{{"role": "user", "content": "..."}}], add_generation_prompt=True, return_tensors="pt", return_dict=True
)
print(tokenizer.decode(model.generate(**prompt, max_new_tokens=128)[0], skip_special_tokens=True))
```

The licence of the base model applies to this model as well.
"""
