"""What is worth knowing of a data file, in a few words: its language, and an encoding that is out of the ordinary."""

from collections.abc import Sequence

from core.data.rows import Conversation, DataReport
from core.i18n import _


def file_notes(report: DataReport, file: str) -> str:
    """The language of a file's first rows and its encoding, as far as they are known."""
    inside = [row for row in report.preview if row.file == file or row.file.startswith(file + "/")]
    return " · ".join(filter(None, (language_words(inside), report.encodings.get(file, "").upper())))


def language_words(rows: Sequence[Conversation]) -> str:
    """The script of some rows in words, empty when there is no telling."""
    text = "".join(message.content for row in rows for message in row.messages)
    han = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    latin = sum(letter.isascii() and letter.isalpha() for letter in text)
    if not han + latin:
        return ""
    # a Chinese letter says as much as three Latin ones
    share = 3 * han / (3 * han + latin)
    if share > 0.8:
        return _("Chinese")
    return _("Latin letters") if share < 0.2 else _("Chinese and Latin letters")
