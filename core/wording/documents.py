"""Sentences for the documents' rules (core.advice.rules_about), and what the rules are about."""

from core.i18n import N_, _
from core.wording.sentences import Sentence

_TOPICS = {
    "vram": N_("Memory of the card"),
    "method": N_("Method"),
    "rank": N_("Rank"),
    "alpha": N_("Alpha"),
    "targets": N_("Modules"),
    "dropout": N_("Dropout"),
    "learning_rate": N_("Learning rate"),
    "epochs": N_("Epochs"),
    "schedule": N_("Course of the training"),
    "data": N_("Data"),
}

#: By the codes of tiers.toml's [[document]] rows, and of the rules that come from its other tables.
DOCUMENTS: dict[str, Sentence] = {
    "doc_rank_by_goal": N_("For {goal}: rank {low}–{high}."),
    "doc_amount": N_(
        "{low} to {high} rows show a clear gain. Below {low} the learning is unsteady: "
        "add rows, or take a smaller model."
    ),
    "doc_danger_over_regularised": N_(
        "Not good: a rank above {rank_high} with dropout above {dropout_high} holds the learning back."
    ),
    "doc_danger_alpha_below_rank": N_("Not good: alpha below the rank leaves a part of the adapter unused."),
    "doc_danger_spread_thin": N_("Not good: all modules with a rank below {rank_low} are spread too thin."),
    "doc_danger_learning_rate": N_("Not good: above {learning_rate_qlora} QLoRA becomes unsteady."),
    "doc_tier_decides": N_(
        "The guide goes by all the memory of a card. What is free now decides: what does not fit is made "
        "smaller, step by step."
    ),
    "doc_classes": N_("1.3B, 7B and 13B are sizes, not names: today that is models of 1–2B, 7–9B and 12–14B."),
    "doc_memory_7b": N_(
        "A 7B model needs about {full_gb} GB for full fine-tuning, {lora_gb} GB with LoRA of rank {rank}, "
        "and {qlora_gb} GB with QLoRA."
    ),
    "doc_memory_qlora": N_("With QLoRA a 7B model needs about {small_gb} GB and a 13B model about {large_gb} GB."),
    "doc_memory_13b": N_(
        "A 13B model stays within {qlora_gb} GB with QLoRA and double quantization. LoRA would need {lora_gb} GB."
    ),
    "doc_memory_65b": N_(
        "A 65B model is {full_gb} GB in 32 bits, and {quantized_gb} GB in 4 bits: the weights alone. So it "
        "cannot train in {card_gb} GB."
    ),
    "doc_cards": N_("LoRA on a 7B model fits one RTX 3090. QLoRA on a 13B model fits one RTX 4090 with {card_gb} GB."),
    "doc_best_value": N_("Up to 7B and from {low_gb} GB on, LoRA on an 8-bit base is the best value."),
    "doc_only_qlora": N_("From 13B on, or below {high_gb} GB, QLoRA in 4 bits is the only feasible choice."),
    "doc_methods_overlap": N_(
        "Between {low_gb} and {high_gb} GB both rules speak. The 8-bit base comes first; QLoRA is offered "
        "beside it with more room."
    ),
    "doc_full_fine_tuning": N_(
        "For the highest precision, with computing power to spare (A100), there is full fine-tuning, at "
        "{low}–{high} times the cost. SoloTune does not offer it."
    ),
    "doc_quantization": N_("QLoRA holds the base in NF4 with double quantization and computes in bf16."),
    "doc_qlora_behind": N_("QLoRA is expected at most {low}–{high} % behind LoRA."),
    "doc_card_needs": N_(
        "An 8-bit base needs a card of compute capability {lora8}, a 4-bit base {qlora}, and bf16 {bf16}. "
        "Older cards compute in fp16."
    ),
    "doc_only_adapter": N_(
        "Only the two small matrices A and B learn. B starts at zero, so training starts from exactly the base model."
    ),
    "doc_rank_deep": N_("To change the behaviour deeply, up to rank {low}–{high}."),
    "doc_rank_usual": N_("Ranks of {low}–{high} are usual. Start at {rank} and grow."),
    "doc_rank_domain": N_("For the data of a special field: rank {low}–{high}."),
    "doc_rank_range": N_("Ranks from {low} to {high} are possible, {usual_low}–{usual_high} are usual."),
    "doc_rank_layers": N_(
        "The rank may grow with depth: {low} in shallow layers, {high} in deep ones (Advanced, Shallow rank)."
    ),
    "doc_choose_task": N_("Choosing a rank, first way: by the task."),
    "doc_choose_sweep": N_(
        "Second way: double the rank until it no longer pays. Refine around that knee (16 is best: try 12, "
        "20 and 24), then train the two best at full length."
    ),
    "doc_sweep_signs": N_(
        "In such a series look for a plateau, for a steady loss curve, and for the gap between training and validation."
    ),
    "doc_choose_svd": N_(
        "Third way: take apart what was learned (SVD). The directions that matter are the effective rank."
    ),
    "doc_choose_budget": N_("Fourth way: by a budget of parameters, such as “below 10 million”."),
    "doc_alpha_equal": N_("Alpha equal to the rank is the careful start."),
    "doc_alpha_twice": N_("Alpha of twice the rank is the rule of thumb."),
    "doc_alpha_scaling": N_(
        "Alpha divided by the rank is the weight of what is learned. Lower alpha if training is unsteady, "
        "raise it if too little is learned."
    ),
    "doc_targets_minimal": N_("Minimal: q and v."),
    "doc_targets_standard": N_("Standard: q, k and v."),
    "doc_targets_standard_four": N_("Standard in another document: q, k, v and o."),
    "doc_targets_recommended": N_("Recommended: q, k, v and o."),
    "doc_targets_full": N_("Full: attention with gate, up and down."),
    "doc_targets_beyond": N_(
        "Go beyond attention when new facts must be learned, when attention alone falls short of the style, "
        "or when the budget of parameters allows it."
    ),
    "doc_bias": N_("The bias usually stays as it is (none); all and lora_only are possible. SoloTune leaves it."),
    "doc_dropout": N_(
        "Dropout of {low}–{high} is usual; 0 to {most} is possible. More with little data or overfitting, "
        "less when too little is learned."
    ),
    "doc_dropout_zero": N_("Dropout 0 saves memory and time."),
    "doc_rate_range": N_("{method}: {low} to {high}."),
    "doc_rate": N_("{method}: {learning_rate}."),
    "doc_rate_default": N_(
        "SoloTune starts at {learning_rate} for every method: all documents but one allow it for both."
    ),
    "doc_rate_lora_large": N_(
        "LoRA converges fast, takes a larger learning rate than full fine-tuning, and hardly minds the batch size."
    ),
    "doc_epochs": N_("{epochs} epochs."),
    "doc_epochs_stopping": N_("{low}–{high} epochs with early stopping."),
    "doc_early_stopping": N_("Stop when the validation perplexity was not better for {evaluations} checks in a row."),
    "doc_schedule": N_(
        "AdamW with a cosine schedule and warm-up; micro-batches of {batch} rows, {accumulation} of them to a step."
    ),
    "doc_schedule_saving": N_(
        "The loss is logged every {log_steps} steps, and a checkpoint saved every {save_steps}. SoloTune "
        "logs every step and saves short runs more often."
    ),
    "doc_data_pairs": N_(
        "Train on pairs of instruction and answer. Models without a chat template get “### Instruction:” and "
        "“### Response:”."
    ),
    "doc_data_template": N_(
        "Mark who speaks in a dialogue, and keep to one template: mixed templates confuse the model."
    ),
    "doc_data_raw": N_("Raw material (PDF, web pages, statutes) becomes questions and answers first."),
    "doc_data_clean": N_("Drop duplicates, and texts below {letters} characters that say nothing."),
    "doc_data_private": N_("Mask private data such as phone numbers and ID numbers."),
    "doc_data_gain": N_("Cleaning alone is worth {low}–{high} %."),
    "doc_data_quality": N_("Quality comes before quantity."),
    "doc_data_general": N_("Against forgetting, mix in about {share} % of general dialogue."),
    "doc_data_stages": N_("Train in stages: one or two epochs of general instructions first, then your field."),
    "doc_data_curriculum": N_("Go from basic to advanced to expert rows."),
}


def topic_words(topic: str) -> str:
    """What a group of rules is about, in a word or two."""
    return _(_TOPICS[topic])
