"""Words for the codes in facts (`reason`, `found`, `text`; `missing` is a thing); other text is shown as it is."""

from core.i18n import N_
from core.wording.sentences import Either, Sentence

#: What rows have to look like.
ROWS = N_(
    "Each row needs a question and an answer: columns such as “instruction” and “output”, or a list called “messages”."
)

DETAILS: dict[str, tuple[Sentence, ...]] = {
    # core.data.codes.FileReason
    "folder": (N_("This is a folder. Choose the file inside it."),),
    "not_a_file": (N_("This is a device, not a file."),),
    "no_access": (N_("Your account is not allowed to read it. Copy it to a folder of your own."),),
    "drive": (Either(N_("The drive reported an error: {text}"), N_("The drive reported an error.")),),
    "binary": (N_("It holds binary data, not text. Save it as JSON, CSV or text and choose that file."),),
    "not_supported": (
        N_("Files ending in {suffix} cannot be read yet."),
        N_("Save it as CSV or JSONL and choose that file."),
    ),
    "encoding": (N_("Its text encoding is not known. Save it as UTF-8 and choose it again."),),
    "bad_json": (
        Either(
            N_("The JSON is wrong at line {line}, column {column}."),
            N_("The JSON is wrong at line {line}."),
            N_("It is not valid JSON."),
        ),
        N_("Mend it there and choose the file again."),
    ),
    "ends_early": (
        Either(
            N_("It ends in the middle of the JSON, at line {line}, column {column}."),
            N_("It ends in the middle of the JSON."),
        ),
        N_("A part of it is missing: copy or download it again."),
    ),
    "too_deep": (Either(N_("It is nested too deeply at line {line}."), N_("It is nested too deeply.")), ROWS),
    "too_long": (
        Either(N_("The row at line {line} is larger than 16 MB."), N_("A row in it is larger than 16 MB.")),
        N_("Cut long texts into several rows."),
    ),
    "too_big": (
        N_("It is {size_bytes} in one piece."),
        N_("Save it as JSONL, one row a line, so that it can be read bit by bit."),
    ),
    "bad_table": (N_("It is not a whole Parquet file. Copy or download it again."),),
    "damaged": (N_("The file is damaged or not whole. Copy or download it again."),),
    "locked": (N_("It is locked with a password. Save it without one and choose it again."),),
    "scanned": (
        N_("Its pages are pictures without text."),
        N_("Run text recognition (OCR) on it first, then choose the new file."),
    ),
    "overpacked": (
        N_("Unpacked it would be so large that it looks like a trap (a “zip bomb”)."),
        N_("If you trust it, unpack it yourself and choose the files."),
    ),
    "nested": (
        N_("It holds archives inside archives inside archives."),
        N_("Unpack it yourself and choose the files."),
    ),
    "many_files": (N_("It holds more than {most} files."), N_("Put the rows into fewer files.")),
    "many_columns": (
        N_("It has more than {most} columns."),
        N_("Keep the columns with the questions and the answers."),
    ),
    "double_column": (
        N_("Two of its columns have the same name: {columns}."),
        N_("Give each column a name of its own."),
    ),
    "entities": (
        N_("It holds definitions that could load other files or fill the memory. Such a file is not opened."),
        N_("Open it in the program that made it and save it again."),
    ),
    # core.data.codes.Found
    "numbers": (N_("It found numbers where rows were expected."), ROWS),
    "texts": (N_("It found plain texts where rows were expected."), ROWS),
    "lists": (N_("It found lists where rows were expected."), ROWS),
    "columns": (
        N_("It found these columns: {columns}."),
        Either(N_("The question looks to be in “{question}” and the answer in “{answer}”."), ROWS),
    ),
    "many_lists": (N_("It found several lists: {columns}."), N_("Keep only the one with the rows.")),
    "running_text": (
        N_("It found running text without questions and answers."),
        N_("Write them as pairs, “Q: …” and “A: …”, each on its own line."),
    ),
    # core.problems
    "in the way": (N_("A file stands where a folder is needed, or a folder where a file is. Choose another name."),),
    # core.plan
    "missing": (N_("There is no such file."),),
    # core.hub, core.modelconfig, core.engine
    "already quantized": (N_("Its weights are already quantized. Take the 16-bit version of it."),),
    "adapter in it": (
        N_("There is an adapter in its folder (adapter_config.json), which would change the model without a word."),
        N_("Move the adapter elsewhere, or merge it first."),
    ),
    "only an adapter": (
        N_("It is an adapter alone, without the model that it belongs to."),
        N_("Choose the model itself, or merge the two first."),
    ),
    "not a decoder": (N_("It is not a model that writes text."),),
    "not a JSON object": (N_("Its settings are not in the usual form."),),
    "adapter type": (N_("This kind of adapter cannot be merged."),),
    "the end-of-turn token is not trained": (
        N_("The sign that ends an answer would not be learned, and the model would never stop talking."),
    ),
}

#: What a model can lack, as a thing inside a sentence.
THINGS: dict[str, str] = {
    "tokenizer": N_("the tokenizer"),
    "end-of-text token": N_("the token that ends a text"),
}
