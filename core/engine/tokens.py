"""The token view: any row of a plan's data exactly as training consumes it, piece by piece.

Rows come through `core.engine.rows` and tokens from `ChatFormat.row`, as in training: nothing is encoded twice in two
ways. Training pads rows in a batch and never packs several into one, so a row alone has no padding to show.
"""

from typing import Any

from core.codec import to_plain
from core.commands import Command, CountTokens, FindRow, ShowRow
from core.data.rows import Conversation
from core.engine.encoding import ChatFormat, Row
from core.engine.loading import load_tokenizer
from core.engine.rows import conversations
from core.engine.totals import totals
from core.events import Event, Stage, StageName
from core.hub import find_folder
from core.jobs.talk import Talk
from core.plan import TrainingPlan
from core.problems import Code, Trouble, diagnose
from core.settings import load, models_root
from core.tokens import Kind, RowsFound, RowTokens, TokenPiece, TokenTotals

#: Rows that a search names.
MOST_FOUND = 200
#: Tokens that are shown of what was cut off.
MOST_CUT = 2000
#: A letter takes so many tokens at most.
_LETTER = 16


def show_tokens(plan: TrainingPlan, talk: Talk, row: int = 0, *, keep_open: bool) -> dict[str, Any]:
    """Show `row`, then answer every command until Stop; see core.jobs.jobs.TokensJob."""
    chat = ChatFormat(load_tokenizer(find_folder(plan.model, models_root(load()))), plan.system)
    view = TokenView(plan, chat, *conversations(plan, talk))
    found = {"rows": view.training, "validation": len(view.rows) - view.training, "template": not chat.fallback}
    shown = view.show(ShowRow(number=0, row=row))
    talk.emit(shown)
    if not keep_open:
        return found | {"shown": to_plain(shown)}
    while answer := view.answer(talk.next_command(), talk):
        talk.emit(answer)
    return found


class TokenView:
    """The training rows of a plan, then its validation rows; a row that is trained several times is there once."""

    def __init__(
        self, plan: TrainingPlan, chat: ChatFormat, training: list[Conversation], validation: list[Conversation]
    ) -> None:
        different = {id(row): row for row in training}
        self.rows = [*different.values(), *validation]
        self.training = len(different)
        self._passed = training
        self._plan, self._chat = plan, chat
        self._special = {i for i, token in chat.tokenizer.added_tokens_decoder.items() if token.special}
        if not self.rows:
            raise Trouble(Code.NOTHING_TO_LEARN, rows=0, tokens=plan.tokens)

    def answer(self, said: Command, talk: Talk) -> Event | None:
        """Return the answer to a command, None to one that is not for here and when asked to stop."""
        if isinstance(said, ShowRow):
            return self.show(said)
        if isinstance(said, FindRow):
            return self.find(said)
        return self.count(said, talk) if isinstance(said, CountTokens) else None

    def count(self, asked: CountTokens, talk: Talk) -> TokenTotals | None:
        """Encode every training row, as often as a pass has it; None when asked to stop."""

        def go_on(done: int) -> bool:
            talk.emit(Stage(stage=StageName.ENCODING, done=done, total=len(self._passed), unit="rows"))
            return not talk.stop_requested

        return totals(asked.number, self._passed, self._plan, self._chat, go_on)

    def show(self, asked: ShowRow) -> RowTokens:
        """Return a row token by token; the nearest one when there is no such row."""
        place = min(max(asked.row, 0), len(self.rows) - 1)
        conversation = self.rows[place]
        found: dict[str, Any] = {
            "number": asked.number, "row": place, "of": len(self.rows), "validation": place >= self.training,
            "file": conversation.file, "line": conversation.line,
        }  # fmt: skip
        try:
            return RowTokens(**found, **self._shown(conversation))
        except Exception as error:  # a template may stumble over one row alone
            return RowTokens(**found, problem=diagnose(error))

    def find(self, asked: FindRow) -> RowsFound:
        """Return the rows that hold a text, whatever its case."""
        wanted = asked.text.casefold()
        places = [
            place
            for place, row in enumerate(self.rows)
            if any(wanted in message.text.casefold() for message in row.messages)
        ]
        return RowsFound(number=asked.number, rows=tuple(places[:MOST_FOUND]), of=len(places))

    def _shown(self, conversation: Conversation) -> dict[str, Any]:
        messages, tools = conversation.plain(), conversation.definitions()
        row = self._chat.row(messages, tools)
        encoded = row.cut(self._plan.tokens)
        prompt = "" if conversation.is_running else self._chat.prompt_text(messages[:-1], tools)
        return {
            "tokens": pieces(row, self._plan.tokens, self._special, self._chat.tokenizer),
            "prompt": prompt,
            "as_in_chat": row.text.startswith(prompt),
            "trained": encoded.trained if encoded else 0,
            "total": len(row.ids),
            "skipped": encoded is None,
        }


def pieces(row: Row, limit: int, special: set[int], tokenizer: Any) -> tuple[TokenPiece, ...]:
    """Cut a row's text at its tokens: one piece each, but one for all tokens of a letter that takes several.

    Text that no token claims (swallowed space) stands with the token behind it, at the end with the last one. Of what
    lies beyond `limit` the first MOST_CUT tokens are shown.
    """
    ends = row.ends or _ends_by_decoding(row, tokenizer)
    shown = min(len(row.ids), limit + MOST_CUT)
    if shown == len(row.ids):
        ends = [*ends[:-1], len(row.text)]
    found: list[TokenPiece] = []
    at = 0
    for place in range(shown):
        token, end = row.ids[place], max(at, ends[place])
        kind, is_special = _kind(row, place, limit, token in special), token in special
        text, at = row.text[at:end], end
        if not text and found and found[-1].kind is kind:
            last = found.pop()
            found.append(TokenPiece(text=last.text, ids=(*last.ids, token), kind=kind, special=last.special))
        else:
            found.append(TokenPiece(text=text, ids=(token,), kind=kind, special=is_special))
    return tuple(found)


def _kind(row: Row, place: int, limit: int, special: bool) -> Kind:
    if place >= limit:
        return Kind.TRUNCATED
    # nothing comes before the first token from which it could be predicted
    if row.trained[place] and place:
        return Kind.TRAINED
    return Kind.SPECIAL if special else Kind.CONTEXT


def _ends_by_decoding(row: Row, tokenizer: Any) -> list[int]:
    """Where each token ends in the text, from a tokenizer that cannot tell: found by decoding, letter by letter."""
    ends: list[int] = []
    waiting: list[int] = []
    at = 0
    for token in row.ids:
        waiting.append(token)
        text = tokenizer.decode(waiting, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        found = row.text.find(text, at, at + len(text) + 1) if text and "\ufffd" not in text else -1
        if found < 0 and len(waiting) < _LETTER:
            continue
        at = found + len(text) if found >= 0 else at
        ends += [at] * len(waiting)
        waiting = []
    return ends + [at] * len(waiting)
