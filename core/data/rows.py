"""The types of the data path: a row to learn from, a rejected row, a report on a file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from core.data.leaves import Change, as_json, changed, leaves


class Shape(StrEnum):
    """What the rows of a file look like."""

    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"
    MESSAGES = "messages"
    PROMPT_COMPLETION = "prompt_completion"
    QUESTION_ANSWER = "question_answer"
    TEXT = "text"
    DOCUMENT = "document"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Call:
    """A call of a tool: `arguments` is the JSON text of an object, `id` what a result refers to ("" for none)."""

    name: str
    arguments: str = "{}"
    id: str = ""

    def plain(self) -> dict[str, Any]:
        """The form that chat templates take."""
        said = {"id": self.id} if self.id else {}
        return said | {"type": "function", "function": {"name": self.name, "arguments": json.loads(self.arguments)}}


@dataclass(frozen=True)
class Message:
    """One turn; `role` is "system", "user", "assistant" or "tool", or "text" for running text, learned as it stands.

    `thought` is what an assistant thinks before it speaks, `calls` the tools that it calls. A turn of the role "tool"
    is the result of a call: `name` is the tool's, `call_id` the id of the call where it has one.
    """

    role: str
    content: str
    thought: str = ""
    calls: tuple[Call, ...] = ()
    name: str = ""
    call_id: str = ""

    @property
    def text(self) -> str:
        """Everything in it: thought, content and calls."""
        if not self.thought and not self.calls:
            return self.content
        said = (self.thought, self.content, *(f"{call.name} {call.arguments}" for call in self.calls))
        return "\n".join(part for part in said if part)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said where something has to be: a system text and a tool may say nothing."""
        return not self.content.strip() and not self.calls and self.role not in ("system", "tool")

    def plain(self) -> dict[str, Any]:
        """The form that chat templates take."""
        said: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.thought:
            said["reasoning_content"] = self.thought
        if self.calls:
            said["tool_calls"] = [call.plain() for call in self.calls]
        more = {"name": self.name, "tool_call_id": self.call_id}
        return said | {key: value for key, value in more.items() if value}

    def pieces(self) -> Iterator[tuple[str, str]]:
        """Yield every text in it, with the name under which it stands in a call."""
        yield from ((text, "") for text in (self.content, self.thought) if text)
        for call in self.calls:
            yield from leaves(call.arguments)

    def mended(self, change: Change, *, data: bool = True) -> "Message":
        """The same with every text changed; what tools get and give only where `data` is meant too."""
        if self.role == "tool" and not data:
            return self
        content = change(self.content, "")
        if not self.thought and not self.calls:
            return self if content == self.content else replace(self, content=content)
        thought = change(self.thought, "") if self.thought else ""
        calls = tuple(replace(call, arguments=changed(call.arguments, change)) for call in self.calls if data)
        return replace(self, content=content, thought=thought, calls=calls if data else self.calls)


@dataclass(frozen=True)
class Conversation:
    """A row to learn from, and where it came from (1-based line or row number in `file`).

    `tools` is the JSON text of the list of tools that the assistant may call, "" for none.
    """

    messages: tuple[Message, ...]
    file: str = ""
    line: int = 0
    tools: str = ""

    @property
    def is_running(self) -> bool:
        """Whether it is a passage of running text: one message of the role "text", all of it to learn."""
        return self.messages[0].role == "text"

    @property
    def has_tools(self) -> bool:
        """Whether tools are named, called or answer in it."""
        # a loop: this is asked of every row several times, and a generator takes twice as long
        for message in self.messages:
            if message.calls or message.role == "tool":
                return True
        return bool(self.tools)

    def plain(self) -> list[dict[str, Any]]:
        """The form that chat templates take."""
        return [message.plain() for message in self.messages]

    def definitions(self) -> list[dict[str, Any]] | None:
        """The tools in the form that chat templates take, None for none."""
        return json.loads(self.tools) if self.tools else None

    def written(self) -> dict[str, Any]:
        """The row as it is written into a file and read back."""
        if self.is_running:
            return {"text": self.messages[0].content}
        return {"messages": self.plain()} | ({"tools": json.loads(self.tools)} if self.tools else {})

    def pieces(self) -> Iterator[tuple[str, str]]:
        """Yield every text of the row, with the name under which it stands in a call or a definition."""
        for message in self.messages:
            yield from message.pieces()
        if self.tools:
            yield from leaves(self.tools)

    def mended(self, change: Change, *, data: bool = True) -> "Conversation":
        """The row with every text changed, the row itself when nothing was; see Message.mended."""
        messages = tuple(message.mended(change, data=data) for message in self.messages)
        tools = changed(self.tools, change) if data and self.tools else self.tools
        if messages == self.messages and tools == self.tools:
            return self
        return replace(self, messages=messages, tools=tools)


def conversation_of(said: Mapping[str, Any], file: str = "", line: int = 0) -> Conversation:
    """Return a row that `Conversation.written` made."""
    if "text" in said:
        return Conversation((Message("text", said["text"]),), file, line)
    tools = as_json(said["tools"]) if "tools" in said else ""
    return Conversation(tuple(map(_message_of, said["messages"])), file, line, tools)


def _message_of(said: Mapping[str, Any]) -> Message:
    calls = tuple(
        Call(one["function"]["name"], as_json(one["function"]["arguments"]), one.get("id", ""))
        for one in said.get("tool_calls", ())
    )
    more = (said.get(name, "") for name in ("name", "tool_call_id"))
    return Message(said["role"], said["content"], said.get("reasoning_content", ""), calls, *more)


@dataclass(frozen=True)
class RowProblem:
    """A row that is not used, and why (`code` is known to wording.py); line 0 stands for the whole file."""

    file: str
    line: int
    code: str
    detail: str = ""


@dataclass(frozen=True)
class DataReport:
    """What data files hold. `problems` is cut after 1,000 entries; `rejected` counts them all.

    `characters` holds total, mean, shortest, median, p95 and longest of the rows; `preview` cuts long texts.
    `encodings` names the files that are not UTF-8; `preferred` counts pairs of which the chosen side is used;
    `shapes` counts the rows of each shape; `complete` is False when the reading was stopped before the end.

    `tokens` describes the rows' lengths as training sees them, in tokens: total, mean, shortest, median, p95,
    p99, longest; empty when nobody counted. They are `tokens_exact` when the tokenizer in the folder
    `tokens_model` counted every row, else estimated from letters. `lengths` holds (upper bound, rows) in
    growing order: multiples of 64 tokens, wider apart where rows are long.

    `kept` is how many usable rows cleaning keeps, None when nothing was cleaned: `tokens`, `lengths` and `by_file`
    (rows to learn from, for each of `files`) are those of the kept rows then, all else is as the files hold it.
    """

    files: tuple[str, ...]
    rows: int
    usable: int
    shape: Shape
    columns: tuple[str, ...] = ()
    problems: tuple[RowProblem, ...] = ()
    rejected: int = 0
    duplicates: int = 0
    characters: dict[str, int] = field(default_factory=dict)
    preview: tuple[Conversation, ...] = ()
    encodings: dict[str, str] = field(default_factory=dict)
    preferred: int = 0
    complete: bool = True
    tokens: dict[str, int] = field(default_factory=dict)
    tokens_exact: bool = False
    tokens_model: str = ""
    lengths: tuple[tuple[int, int], ...] = ()
    shapes: dict[str, int] = field(default_factory=dict)
    by_file: tuple[int, ...] = ()
    kept: int | None = None

    @property
    def learned(self) -> int:
        """Rows to learn from: those that cleaning kept, or all that are usable when nothing was cleaned."""
        return self.usable if self.kept is None else self.kept

    def rows_longer_than(self, tokens: float) -> int:
        """How many rows are longer than so many tokens; never too few, and exact at the bounds of `lengths`."""
        if tokens >= self.tokens.get("longest", 0):
            return 0
        return sum(rows for bound, rows in self.lengths if bound > tokens)
