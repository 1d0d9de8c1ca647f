"""Sentences for reasons and rejected rows: what a code and its facts mean to a person."""

from typing import TYPE_CHECKING

from core.i18n import N_, NN_, ngettext
from core.reasons import OURS
from core.wording.details import DETAILS
from core.wording.documents import DOCUMENTS
from core.wording.learnable import CHECKS
from core.wording.sentences import Either, Sentence, joined, say, tell
from core.wording.tools import TOOL_ROWS

if TYPE_CHECKING:
    from core.data.rows import RowProblem
    from core.reasons import Reason

_REASONS: dict[str, Sentence] = {
    "tier": Either(
        N_("The guide for {low_gb}–{high_gb} GB suggests a {size_class} model with {method}."),
        N_("The guide for {low_gb} GB and more suggests a {size_class} model with {method}."),
        N_("The guide for less than {high_gb} GB suggests a {size_class} model with {method}."),
        N_("The guide suggests a {size_class} model with {method}."),
    ),
    "tier_open": Either(
        N_(
            "The guide leaves {low_gb}–{high_gb} GB open. SoloTune starts there with a {size_class} model and {method}."
        ),
        N_("The guide leaves this size open. SoloTune starts there with a {size_class} model and {method}."),
    ),
    "tier_beyond": Either(
        N_(
            "The guide ends at {documents_gb} GB. "
            "Beyond that SoloTune goes by its own estimate: a {size_class} model with {method}."
        ),
        N_("The guide ends below this size. SoloTune goes by its own estimate: a {size_class} model with {method}."),
    ),
    "model_of_class": N_("{title} stands for the {size_class} class today: {parameters} parameters."),
    "model_chosen": N_("You chose {title}: {parameters} parameters."),
    "rough_estimate": N_(
        "Arithmetic does not know all layers of {title}. The check with the model's own modules decides."
    ),
    "method_not_on_card": N_(
        "This card cannot train with {method}: it needs compute capability {needed}, the card has {capability}."
    ),
    "fp16_compute": N_(
        "This card computes in fp16, with the adapter in 32 bits: bf16 begins at compute capability {needed}, "
        "the card has {capability}."
    ),
    "method_lora": N_("LoRA keeps the model in 16 bits: the most exact way, with nothing to convert."),
    "method_lora8": Either(
        N_("LoRA on an 8-bit base is the best value for {size_class} models from 10 GB of memory."),
        N_("LoRA on an 8-bit base is the best value for 7B models from 10 GB of memory."),
    ),
    "method_qlora": Either(
        N_("QLoRA holds the model in 4 bits. That makes a {size_class} model possible in this memory."),
        N_("QLoRA holds the model in 4 bits. That makes large models possible in little memory."),
    ),
    "free_less_than_total": N_("Other programs hold {used_bytes} of the card: {free_bytes} of {total_bytes} are free."),
    "fits": N_("It fits: about {needed_bytes} of {free_bytes}."),
    "not_fitting": Either(
        N_(
            "It does not fit: it needs about {needed_bytes} and a reserve of {reserve_bytes}, "
            "and {free_bytes} are free."
        ),
        N_("It does not fit: about {needed_bytes} are needed and {free_bytes} are free."),
    ),
    "stepped_batch": N_(
        "The model sees {after} at a time instead of {before}, to save memory. "
        "Each step still learns from as many rows."
    ),
    "stepped_checkpointing": N_(
        "To save memory, parts of the model are computed twice instead of kept. It takes longer and learns the same."
    ),
    "stepped_tokens": N_("Rows are cut at {after} tokens instead of {before}, to save memory."),
    "stepped_method": N_("{after} instead of {before}, which does not fit into the free memory."),
    "stepped_model": N_("{after} instead of {before}: the larger model does not fit."),
    "larger_batch": N_(
        "The model sees {after} rows at a time instead of {before}: weights in 4 bits are unpacked less often. "
        "Each step still learns from as many rows."
    ),
    "step_cost": N_(
        "By published figures, not measured on this card, it takes about {percent} % more time for as much text."
    ),
    "step_free": N_("By published figures, not measured on this card, it takes no more time than before."),
    "step_faster": N_(
        "By published figures, not measured on this card, it takes about {percent} % less time for as much text."
    ),
    "quality_same": N_("What is learned stays the same."),
    "quality_lora": N_("16 bits are the most exact way to hold the model."),
    "quality_lora8": N_("8 bits come close to 16: little is lost."),
    "quality_qlora": N_("The result is expected at most {low}–{high} % behind LoRA."),
    "quality_smaller": N_("A smaller model knows less and reasons less well."),
    "quality_larger": N_("A larger model knows more and reasons better."),
    "quality_cut": N_("What stands behind token {tokens} of a row is not learned."),
    "rank_by_goal": N_("For {goal} the guide suggests a rank of {low}–{high}; this plan takes {rank}."),
    "alpha_twice_rank": N_("Alpha is {alpha}, twice the rank: the usual rule of thumb."),
    "targets_attention": N_("The adapter goes into the attention layers (q, k, v, o). That suits style and answers."),
    "targets_full": N_("The adapter goes into every layer: new knowledge needs more than the attention layers."),
    "learning_rate": N_("A learning rate of {learning_rate} is a proven start."),
    "no_recomputation": N_("The memory allows the fastest way: nothing has to be computed twice."),
    "some_recomputation": N_(
        "Parts of the model are computed twice to save memory. It takes longer and learns the same."
    ),
    "length_whole": N_("The longest row has {longest} tokens. With room for {tokens}, nothing is cut."),
    "length_cuts": NN_(
        "{rows_cut} row ({share}) is cut at {tokens} tokens; it has {longest}.",
        "{rows_cut} rows ({share}) are cut at {tokens} tokens; the longest has {longest}.",
    ),
    "alternative_safer": Either(
        N_("More room: {title} with {method} needs about {needed_bytes}, {saved_bytes} less."),
        N_("More room: about {saved_bytes} less memory."),
    ),
    "alternative_faster": N_("Faster: {title} is smaller ({after_parameters} instead of {before_parameters})."),
    "alternative_bigger": Either(
        N_("Knows more: {title} is larger ({after_parameters}) and needs about {needed_bytes}."),
        N_("Knows more: {title} is larger."),
    ),
    "alternative_preciser": Either(
        N_("More exact: {title} in 16 bits needs about {needed_bytes}."),
        N_("More exact: {title} in 16 bits."),
    ),
    "expected_speed": N_(
        "By published figures, not measured on this card, it has about {percent} % of the first suggestion's speed."
    ),
    "practice": N_("There is no NVIDIA card here. You can practise every step with {title} on the processor."),
    "practice_settings": Either(
        N_("The practice settings are short: rows up to {tokens} tokens, learning rate {learning_rate}."),
        N_("The practice settings are short, so that a run takes minutes."),
    ),
    "danger_over_regularised": N_(
        "Rank {rank} with dropout {dropout} holds the learning back. "
        "Stay below rank {rank_limit} or below dropout {dropout_limit}."
    ),
    "danger_alpha_below_rank": N_(
        "Alpha {alpha} is below rank {rank}: a part of the adapter goes unused. "
        "Set alpha to the rank or twice the rank."
    ),
    "danger_spread_thin": N_(
        "Rank {rank} spread over {modules} kinds of layers is thin. Use rank {rank_limit} or more, or fewer layers."
    ),
    "danger_learning_rate": N_("A learning rate of {learning_rate} makes QLoRA unsteady. Stay at {limit} or below."),
    "rows_few": NN_(
        "{rows} row is little: below {low} the learning is unsteady. Add rows, or take a smaller model.",
        "{rows} rows are few: below {low} the learning is unsteady. Add rows, or take a smaller model.",
    ),
    "rows_clear_gain": N_("{rows} rows are a good amount: between {low} and {high} the gain is clear."),
    "rows_beyond": N_("{rows} rows are plenty. From here on better rows help more than more rows."),
}

_ROWS: dict[str, Sentence] = {
    "not_an_object": N_("The row has no named fields."),
    "unknown_fields": Either(N_("No field of this row is known: {detail}."), N_("No field of this row is known.")),
    "no_question": N_("The question is missing."),
    "empty_question": N_("The question is empty."),
    "no_answer": N_("The answer is missing."),
    "empty_answer": N_("The answer is empty."),
    "bad_role_order": Either(
        N_("The turns are out of order: {detail}. Questions and answers must take turns."),
        N_("The turns are out of order. Questions and answers must take turns."),
    ),
    "unknown_role": Either(N_("The role “{detail}” is not known."), N_("A role in this row is not known.")),
    "not_text": Either(N_("The field “{detail}” is not text."), N_("A field of this row is not text.")),
    "broken_text": N_("The text holds characters that cannot be read."),
    "too_long_line": N_("The row is larger than 16 MB."),
    "too_deep": N_("The row is nested too deeply."),
    "bad_json": Either(N_("The line is not valid JSON at character {detail}."), N_("The line is not valid JSON.")),
    "extra_cells": N_("The row has more cells than the table has columns. A text with a comma needs quotation marks."),
    "bad_quotes": N_("The quotation marks in this row do not match."),
    "outside_pair": N_("This text stands before the first question."),
    "only_text": N_("This is running text among questions and answers. Put it into a file of its own to learn it."),
    "double_field": Either(N_("The field “{detail}” is there twice."), N_("A field of this row is there twice.")),
    "media": Either(
        N_("It holds pictures, sound or files (“{detail}”). Only text can be learned."),
        N_("It holds pictures, sound or files. Only text can be learned."),
    ),
    "turn_weight": N_("One of its answers is marked as not to be learned. That is not possible yet."),
    "rejected": Either(
        N_("The answer is marked as a bad one (“{detail}” is false). Only good answers are learned."),
        N_("The answer is marked as a bad one. Only good answers are learned."),
    ),
    "above_names": N_("This row stands above the names of the columns."),
    "no_text_page": N_("This page is a picture without text. Run text recognition (OCR) on the file first."),
    "file_unreadable": N_("The whole file cannot be used."),
    "file_empty": N_("The file is empty."),
    "file_unknown": Either(N_("Files ending in {detail} are passed over."), N_("Files of this kind are passed over.")),
    "file_link": N_("It is a link to another place. Links inside folders and archives are not followed."),
    "file_locked": N_("The file is locked with a password."),
    "file_unsafe_name": N_("The name of this file leads out of the archive. The file is not opened."),
    "file_double_name": N_("The archive holds another file of the same name. Only the last one is read."),
}


def reason_texts() -> dict[str, Sentence]:
    """The sentence of every reason's code."""
    return _REASONS | DOCUMENTS | CHECKS


def reason_words(reason: "Reason") -> str:
    """Why something is recommended or warned of, as a sentence or two."""
    # a tier that is open to one side says 0 there
    facts = {name: value for name, value in reason.facts.items() if value != 0 or not name.endswith("_gb")}
    return sentence(reason_texts(), reason.code, facts)


def sourced_words(reason: "Reason") -> str:
    """The same, with the document that says so."""
    source = reason.source if reason.source != OURS else ""
    words = ngettext("(Source: document {source})", "(Source: documents {source})", 1 + source.count(","))
    return joined(reason_words(reason), words.format(source=source) if source else "")


def row_problem_words(problem: "RowProblem") -> str:
    """Why a row is not used; file and line are not in the sentence."""
    said = sentence(_ROWS | TOOL_ROWS, problem.code, {"detail": problem.detail})
    return joined(said, tell(DETAILS.get(problem.detail, ()), {})) if problem.code == "file_unreadable" else said


def sentence(table: dict[str, Sentence], code: str, facts: dict[str, object]) -> str:
    """A code that a newer version wrote, or one without its facts, is shown as it is."""
    said = say(table[code], facts) if code in table else ""
    return said or str(code).replace("_", " ")
