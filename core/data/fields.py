"""The names that fields go by in both languages, and rows brought into one form to be recognised."""

from functools import lru_cache
from typing import Any

from core.data.turns import as_list, is_turns

Row = dict[str, Any]
Names = tuple[str, ...]

TURNS: Names = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat", "对话", "對話")
TEXTS: Names = ("text", "文本")
SYSTEMS: Names = ("system", "system_prompt", "系统", "系统提示", "系統", "系統提示")
HISTORIES: Names = ("history", "历史", "歷史")

#: What is thought before the answer, in a field beside it.
THOUGHTS: Names = (
    "reasoning_content", "thinking", "reasoning", "thought", "thoughts", "chain_of_thought", "cot", "complex_cot",
    "思考", "思考过程", "思考過程", "思维链", "推理", "推理过程", "推理過程",
)  # fmt: skip

#: What is asked about; in Alpaca rows "input", unless that is the question itself.
EXTRAS: Names = ("input", "context", "输入", "輸入", "上下文", "背景")

INSTRUCTIONS: Names = ("instruction", "instructions", "指令", "指示", "任务", "任務")
PROMPTS: Names = ("prompt", "提示", "提示词")
QUESTIONS: Names = (
    "question", "query", "q", "user", "human", "ask", "problem", "user_input", "user_message", "user_question",
    "问题", "问", "提问", "问句", "问法", "用户", "客户", "顾客", "咨询", "题目", "标准问", "标准问题", "用户问题",
    "客户问题", "用户提问", "提问内容", "问题描述", "问题内容",
    "問題", "問", "提問", "用戶", "使用者", "客戶", "顧客", "諮詢", "題目", "使用者問題", "用戶問題", "客戶問題",
    "input", "输入", "輸入",
)  # fmt: skip

OUTPUTS: Names = ("output", "response", "answer", "completion", "输出", "輸出", "回答", "答案", "回复", "回覆")
COMPLETIONS: Names = (
    "completion", "response", "output", "answer",
    "补全", "输出", "輸出", "回答", "答案", "回复", "回覆",
)  # fmt: skip
ANSWERS: Names = (
    # "solution" shows the way where "answer" beside it is only its last number
    "solution", "answer", "response", "a", "reply", "assistant", "output", "target", "assistant_message",
    "bot", "agent", "model_answer", "reference_answer",
    "回答", "答", "答案", "回复", "答复", "解答", "应答", "助手", "客服", "标准答", "标准答案", "标准回答", "参考答案",
    "客服回复", "客服回答", "助手回复", "回答内容", "回复内容", "答案内容",
    "回覆", "答覆", "標準答案", "參考答案", "客服回覆", "助手回覆", "输出", "輸出", "completion",
)  # fmt: skip

#: A row of more fields than these is not like many others.
_FEW = 40

_CHOSEN, _REJECTED = "chosen", "rejected"

#: Every name that means something, for telling a table's separator.
KNOWN: frozenset[str] = frozenset((
    *TURNS, *TEXTS, *SYSTEMS, *HISTORIES, *THOUGHTS, *EXTRAS, *INSTRUCTIONS, *PROMPTS, *QUESTIONS,
    *OUTPUTS, *COMPLETIONS, *ANSWERS, _CHOSEN, _REJECTED,
))  # fmt: skip


@lru_cache(4096)
def field_name(name: str) -> str:
    """Return a field's name as it is compared: without byte order mark, colon, capitals, and "_" for spaces."""
    return name.strip("\ufeff \t\r\n:：*").lower().replace(" ", "_").replace("-", "_")


def present(row: Row, names: Names) -> str | None:
    """The first of the names that the row has, one with something in it before an empty one."""
    found = _common(tuple(row), names) if len(row) <= _FEW else [name for name in names if name in row]
    for name in found:
        if row[name]:
            return name
    return found[0] if found else None


@lru_cache(1024)
def _common(has: Names, names: Names) -> list[str]:
    """The rows of a file have the same names over and over."""
    return [name for name in names if name in has]


def normal(value: Any) -> Row | None:
    """Return a row with comparable names, bare turns and texts as rows, None for other values.

    Of a preference pair the chosen side stays.
    """
    if isinstance(value, str):
        return {"text": value}
    if is_turns(value):
        return {"messages": value}
    if not isinstance(value, dict):
        return None
    row = {field_name(str(key)): item for key, item in value.items()}
    if is_preference(row):
        row = _chosen_side(row)
    elif row.get("tools") and "answers" in row and (ask := present(row, QUESTIONS)):
        # as xLAM has it: a question and the calls that answer it
        row["messages"] = [{"role": "user", "content": row[ask]}, {"role": "assistant", "tool_calls": row["answers"]}]
    said = present(row, TURNS)
    if said and isinstance(row[said], str):
        row[said] = as_list(row[said])
    return row


def said_twice(value: Any) -> str:
    """The name of a field that a row has twice with something in it, spelled alike; "" where there is none."""
    seen: set[str] = set()
    for key in value if isinstance(value, dict) else ():
        name = field_name(str(key))
        if value[key] and name in KNOWN:
            if name in seen:
                return str(key)
            seen.add(name)
    return ""


def is_preference(value: Any) -> bool:
    """Whether a row is a pair of a chosen and a rejected answer; the chosen one is learned."""
    return isinstance(value, dict) and _CHOSEN in value and _REJECTED in value


def rejecting(row: Row) -> str:
    """The field that says that the answer is a bad one, as in unpaired preferences (TRL's KTO); "" where none does."""
    if row.get("kto_tag") is False:
        return "kto_tag"
    # "label" stands for much else beside a question and an answer
    labelled = row.get("label") is False and ("completion" in row or present(row, TURNS) is not None)
    return "label" if labelled else ""


def turn_list(row: Row) -> list[Any] | None:
    """The list of turns that a row holds, if any."""
    name = present(row, TURNS)
    return as_list(row[name]) if name else None


def _chosen_side(row: Row) -> Row:
    """Turn a preference pair into a plain row with the chosen answer."""
    rest = {key: item for key, item in row.items() if key not in (_CHOSEN, _REJECTED)}
    chosen = row[_CHOSEN]
    ask = present(rest, (*PROMPTS, *INSTRUCTIONS, *QUESTIONS))
    if isinstance(chosen, dict):
        chosen = [chosen]
    if isinstance(chosen, list):
        # several turns hold the question as well
        whole = chosen if len(chosen) > 1 else [*_before(rest, ask), *chosen]
        return {**rest, "messages": whole}
    if ask is None and isinstance(chosen, str):
        return {"text": chosen}
    return {**rest, "prompt": rest.get(ask or ""), "completion": chosen}


def _before(row: Row, ask: str | None) -> list[Any]:
    """The turns that lead to the chosen one."""
    earlier = turn_list(row) or (as_list(row[ask]) if ask else None)
    return earlier or ([{"role": "user", "content": row[ask]}] if ask else [])
