"""A row with tools on the Data page: what is defined, thought, called and answered can be read."""

from core.data.rows import Call, Conversation, Message
from gui.pages.data_turns import row_widgets
from gui.widgets.bubble import Bubble


def test_a_call_and_its_result_are_bubbles_with_names(qtbot: object) -> None:
    call = Call("get_weather", '{"city": "杭州", "days": [1, 2]}')
    row = Conversation(
        (
            Message("user", "Rain?"),
            Message("assistant", "", thought="Look it up.", calls=(call, Call("now"))),
            Message("tool", '{"sky": "晴"}', name="get_weather"),
            Message("tool", "12:00"),
            Message("assistant", "No."),
        ),
        tools='[{"type": "function", "function": {"name": "get_weather"}}]',
    )
    head, *bubbles = row_widgets(row)
    assert "get_weather" in head.text()  # type: ignore[attr-defined]
    assert [(one._who.text(), one.text) for one in bubbles if isinstance(one, Bubble)] == [
        ("Question", "Rain?"),
        ("Thought", "Look it up."),
        ("Call of get_weather", "city: 杭州\ndays: [1, 2]"),
        ("Call of now", "–"),
        ("Result of get_weather", '{"sky": "晴"}'),
        ("Result of a tool", "12:00"),
        ("Answer", "No."),
    ]
    assert len(list(row_widgets(Conversation((Message("user", "a"), Message("assistant", "b")))))) == 2
