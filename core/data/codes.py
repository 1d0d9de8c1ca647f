"""Codes of the data path: why a row is not used, why a file cannot be read, what was found instead."""

from enum import StrEnum


class RowCode(StrEnum):
    """Why a row is not used; core.wording has the sentences."""

    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_FIELDS = "unknown_fields"
    NO_QUESTION = "no_question"
    EMPTY_QUESTION = "empty_question"
    NO_ANSWER = "no_answer"
    EMPTY_ANSWER = "empty_answer"
    BAD_ROLE_ORDER = "bad_role_order"
    UNKNOWN_ROLE = "unknown_role"
    NOT_TEXT = "not_text"
    BROKEN_TEXT = "broken_text"
    TOO_LONG_LINE = "too_long_line"
    TOO_DEEP = "too_deep"
    BAD_JSON = "bad_json"
    EXTRA_CELLS = "extra_cells"
    BAD_QUOTES = "bad_quotes"
    OUTSIDE_PAIR = "outside_pair"
    ONLY_TEXT = "only_text"
    DOUBLE_FIELD = "double_field"
    TOOLS = "tools"
    TOOL_LIST = "tool_list"
    CALL_UNREADABLE = "call_unreadable"
    CALL_ARGUMENTS = "call_arguments"
    CALL_UNANSWERED = "call_unanswered"
    RESULT_UNASKED = "result_unasked"
    TOOLS_NOT_SHOWN = "tools_not_shown"
    ONE_CALL = "one_call"
    TEXT_BESIDE_CALL = "text_beside_call"
    TEMPLATE_REFUSES = "template_refuses"
    MEDIA = "media"
    TURN_WEIGHT = "turn_weight"
    REJECTED = "rejected"
    ABOVE_NAMES = "above_names"
    NO_TEXT_PAGE = "no_text_page"
    # the whole file inside a folder, an archive or a workbook; the line is 0
    FILE_UNREADABLE = "file_unreadable"
    FILE_EMPTY = "file_empty"
    FILE_UNKNOWN = "file_unknown"
    FILE_LINK = "file_link"
    FILE_LOCKED = "file_locked"
    FILE_UNSAFE_NAME = "file_unsafe_name"
    FILE_DOUBLE_NAME = "file_double_name"


#: A model's template cannot show such rows; with another model they can be used.
OF_TEMPLATE = frozenset((RowCode.TOOLS_NOT_SHOWN, RowCode.ONE_CALL, RowCode.TEXT_BESIDE_CALL, RowCode.TEMPLATE_REFUSES))


class FileReason(StrEnum):
    """The fact `reason` of Trouble(DATA_UNREADABLE)."""

    FOLDER = "folder"
    NOT_A_FILE = "not_a_file"
    NO_ACCESS = "no_access"
    DRIVE = "drive"
    BINARY = "binary"
    NOT_SUPPORTED = "not_supported"
    ENCODING = "encoding"
    BAD_JSON = "bad_json"
    ENDS_EARLY = "ends_early"
    TOO_DEEP = "too_deep"
    TOO_LONG = "too_long"
    TOO_BIG = "too_big"
    BAD_TABLE = "bad_table"
    DAMAGED = "damaged"
    LOCKED = "locked"
    SCANNED = "scanned"
    OVERPACKED = "overpacked"
    NESTED = "nested"
    MANY_FILES = "many_files"
    MANY_COLUMNS = "many_columns"
    DOUBLE_COLUMN = "double_column"
    ENTITIES = "entities"


class Found(StrEnum):
    """The fact `found` of Trouble(DATA_SHAPE)."""

    NUMBERS = "numbers"
    TEXTS = "texts"
    LISTS = "lists"
    COLUMNS = "columns"
    MANY_LISTS = "many_lists"
    RUNNING_TEXT = "running_text"


class RowFault(Exception):  # noqa: N818 - a row at fault, not a program
    """Raised while a row is being understood; `detail` is data for the sentence, such as a field's name."""

    def __init__(self, code: RowCode, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
