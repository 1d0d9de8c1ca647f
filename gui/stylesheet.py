"""The style sheet, written from the tokens; pages only name a role, never a colour."""

from PySide6.QtGui import QColor

from gui.icons import icon_file
from gui.theme import LEAD, NUMBER, RADIUS, SMALL, TITLE, Tokens


def stylesheet(t: Tokens) -> str:
    """Return the application's style sheet for one scheme."""
    return "\n".join((_text(t), _buttons(t), _inputs(t), _surfaces(t), _bars(t)))


def _text(t: Tokens) -> str:
    return f"""
    QLabel {{ color: {t.ink}; background: transparent; }}
    QLabel[role="title"] {{ font-size: {TITLE}px; font-weight: 600; }}
    QLabel[role="lead"] {{ font-size: {LEAD}px; }}
    QLabel[role="strong"] {{ font-weight: 600; }}
    QLabel[role="number"] {{ font-size: {NUMBER}px; font-weight: 600; }}
    QLabel[role="muted"] {{ color: {t.muted}; }}
    QLabel[role="small"] {{ color: {t.muted}; font-size: {SMALL}px; }}
    QLabel[role="good"] {{ color: {t.good}; }}
    QLabel[role="brand"] {{ font-size: {LEAD}px; font-weight: 600; }}
    QToolTip {{ background: {t.surface}; color: {t.ink}; border: 1px solid {t.edge}; padding: 4px 6px; }}
    """


def _buttons(t: Tokens) -> str:
    return f"""
    QPushButton {{ background: {t.surface}; color: {t.ink}; border: 1px solid {t.edge};
        border-radius: {RADIUS}px; padding: 7px 17px; }}
    QPushButton:hover {{ background: {t.sunken}; }}
    QPushButton:pressed {{ background: {t.hairline}; }}
    QPushButton:disabled {{ color: {t.muted}; background: {t.paper}; border-color: {t.hairline}; }}
    QPushButton:focus {{ border: 2px solid {t.accent}; padding: 6px 16px; }}
    QPushButton[kind="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent};
        font-weight: 600; }}
    QPushButton[kind="primary"]:hover {{ border-color: {t.ink}; }}
    QPushButton[kind="primary"]:focus {{ border: 2px solid {t.ink}; }}
    QPushButton[kind="primary"]:disabled {{ background: {t.hairline}; color: {t.muted};
        border: 1px solid {t.hairline}; }}
    QPushButton[kind="quiet"] {{ background: transparent; border: 1px solid transparent; padding: 5px 9px; }}
    QPushButton[kind="quiet"]:hover {{ background: {t.sunken}; }}
    QPushButton[kind="quiet"]:checked {{ background: {t.wash}; }}
    QPushButton[kind="quiet"]:focus {{ border: 2px solid {t.accent}; padding: 4px 8px; }}
    QPushButton[kind="quiet"]:disabled {{ color: {t.muted}; }}
    QPushButton[kind="fold"] {{ background: transparent; border: 2px solid transparent;
        padding: 4px 8px 4px 0; margin-left: -4px; text-align: left; }}
    QPushButton[kind="fold"]:hover {{ color: {t.accent}; }}
    QPushButton[kind="fold"]:focus {{ border: 2px solid {t.accent}; margin-left: 0;
        padding: 4px 8px 4px -4px; }}
    QPushButton[kind="choice"] {{ background: transparent; border: 1px solid transparent; text-align: left;
        padding: 5px 9px; }}
    QPushButton[kind="choice"]:hover {{ background: {t.sunken}; }}
    QPushButton[kind="choice"]:focus {{ border: 2px solid {t.accent}; padding: 4px 8px; }}
    QPushButton[kind="chip"] {{ border-radius: 14px; padding: 5px 13px; }}
    QPushButton[kind="chip"]:focus {{ padding: 4px 12px; }}
    QPushButton[kind="chip"]:checked {{ background: {t.wash}; border-color: {t.accent}; }}
    QPushButton[kind="left"], QPushButton[kind="middle"], QPushButton[kind="right"] {{ padding: 4px 13px;
        font-size: {SMALL}px; }}
    QPushButton[kind="left"] {{ border-top-right-radius: 0; border-bottom-right-radius: 0; }}
    QPushButton[kind="right"] {{ border-top-left-radius: 0; border-bottom-left-radius: 0; margin-left: -1px; }}
    QPushButton[kind="middle"] {{ border-radius: 0; margin-left: -1px; }}
    QPushButton[kind="left"]:checked, QPushButton[kind="middle"]:checked, QPushButton[kind="right"]:checked {{
        background: {t.wash}; border-color: {t.accent}; }}
    QPushButton[kind="left"]:focus, QPushButton[kind="middle"]:focus, QPushButton[kind="right"]:focus {{
        border: 2px solid {t.accent}; padding: 3px 12px; }}
    QPushButton[kind="ask"] {{ background: transparent; color: {t.muted}; border: 1px solid {t.edge};
        border-radius: 9px; padding: 0; font-size: 11px; min-width: 16px; max-width: 16px; min-height: 16px;
        max-height: 16px; }}
    QPushButton[kind="ask"]:hover {{ color: {t.accent}; border-color: {t.accent}; }}
    QPushButton[kind="ask"]:checked {{ background: {t.wash}; color: {t.ink}; border-color: {t.accent}; }}
    QPushButton[kind="ask"]:focus {{ border: 2px solid {t.accent}; min-width: 14px; max-width: 14px;
        min-height: 14px; max-height: 14px; }}
    QPushButton[kind="tile"] {{ padding: 0; text-align: left; border-color: {t.hairline}; }}
    QPushButton[kind="tile"]:hover {{ border-color: {t.edge}; background: {t.surface}; }}
    QPushButton[kind="tile"]:focus {{ border: 2px solid {t.accent}; padding: 0; }}
    QPushButton[kind="tile"]:checked {{ border: 2px solid {t.accent}; background: {t.wash}; }}
    QPushButton[kind="tile"]:checked:focus {{ border: 2px solid {t.ink}; }}
    """


def _inputs(t: Tokens) -> str:
    fields = "QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox"
    focused = ", ".join(f"{name}:focus" for name in fields.split(", "))
    down, up = icon_file("arrow-down"), icon_file("arrow-up")
    tick = icon_file("tick-dark" if t.dark else "tick-light")
    return f"""
    {fields} {{ background: {t.surface}; color: {t.ink}; border: 1px solid {t.edge}; border-radius: 6px;
        padding: 5px 8px; min-height: 20px; selection-background-color: {t.accent};
        selection-color: {t.on_accent}; }}
    {focused} {{ border: 2px solid {t.accent}; padding: 4px 7px; }}
    QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{ color: {t.muted};
        background: {t.paper}; border-color: {t.hairline}; }}
    QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus {{ border: none; padding: 0; min-height: 0;
        background: transparent; }}
    QComboBox::drop-down {{ border: none; width: 24px; }}
    QComboBox::down-arrow {{ image: url({down}); width: 14px; height: 14px; }}
    QComboBox QAbstractItemView {{ background: {t.surface}; border: 1px solid {t.edge}; outline: none;
        selection-background-color: {t.wash}; selection-color: {t.ink}; padding: 4px; }}
    QSpinBox::up-button, QDoubleSpinBox::up-button {{ subcontrol-position: top right; border: none;
        width: 20px; }}
    QSpinBox::down-button, QDoubleSpinBox::down-button {{ subcontrol-position: bottom right; border: none;
        width: 20px; }}
    QSpinBox::up-arrow, QDoubleSpinBox::up-arrow {{ image: url({up}); width: 11px; height: 11px; }}
    QSpinBox::down-arrow, QDoubleSpinBox::down-arrow {{ image: url({down}); width: 11px; height: 11px; }}
    QCheckBox {{ spacing: 8px; color: {t.ink}; }}
    QCheckBox::indicator {{ width: 16px; height: 16px; border: 1px solid {t.edge}; border-radius: 4px;
        background: {t.surface}; }}
    QCheckBox::indicator:focus {{ border: 2px solid {t.accent}; }}
    QCheckBox::indicator:checked {{ background: {t.accent}; border-color: {t.accent}; image: url({tick}); }}
    QPlainTextEdit {{ background: {t.sunken}; color: {t.ink}; border: 1px solid {t.hairline};
        border-radius: {RADIUS}px; padding: 8px; }}
    QPlainTextEdit:focus {{ border: 2px solid {t.accent}; padding: 7px; }}
    QListWidget {{ background: {t.surface}; color: {t.ink}; border: 1px solid {t.hairline};
        border-radius: {RADIUS}px; padding: 4px; outline: none; }}
    QListWidget:focus {{ border: 2px solid {t.accent}; padding: 3px; }}
    QListWidget::item {{ padding: 5px 8px; border-radius: 6px; color: {t.ink}; }}
    QListWidget::item:hover {{ background: {t.sunken}; }}
    QListWidget::item:selected {{ background: {t.wash}; color: {t.ink}; }}
    QSlider {{ min-height: 24px; }}
    QSlider::groove:horizontal {{ background: {t.hairline}; height: 4px; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {t.accent}; height: 4px; border-radius: 2px; }}
    QSlider::handle:horizontal {{ background: {t.surface}; border: 2px solid {t.accent}; width: 12px; height: 12px;
        margin: -6px 0; border-radius: 8px; }}
    QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
    """


def _surfaces(t: Tokens) -> str:
    return f"""
    QMainWindow, QDialog, QWidget#shell, QWidget#content {{ background: {t.paper}; }}
    QScrollArea {{ background: transparent; border: none; }}
    QScrollArea:focus {{ border: none; }}
    QWidget[role="column"] {{ background: transparent; }}
    QWidget#topbar {{ background: {t.surface}; border-bottom: 1px solid {t.hairline}; }}
    QWidget#rail {{ background: {t.paper}; border-right: 1px solid {t.hairline}; }}
    QWidget#footer {{ background: {t.paper}; border-top: 1px solid {t.hairline}; }}
    QFrame[role="panel"] {{ background: {t.surface}; border: 1px solid {t.hairline};
        border-radius: {RADIUS}px; }}
    QFrame[role="trouble"] {{ background: {mixed(t.surface, t.trouble, 0.05)};
        border: 1px solid {mixed(t.surface, t.trouble, 0.35)}; border-radius: {RADIUS}px; }}
    QFrame[role="note"] {{ background: {t.wash}; border: 1px solid {mixed(t.surface, t.accent, 0.35)};
        border-radius: {RADIUS}px; }}
    QFrame[role="drop"] {{ background: {t.surface}; border: 2px dashed {t.edge}; border-radius: 12px; }}
    QFrame[role="drop"]:focus {{ border: 2px solid {t.accent}; }}
    QFrame[role="drop"][over="true"] {{ background: {t.wash}; border: 2px dashed {t.accent}; }}
    QFrame[role="bubble-user"] {{ background: {t.wash}; border-radius: 10px; }}
    QFrame[role="bubble-assistant"] {{ background: {t.surface}; border: 1px solid {t.hairline};
        border-radius: 10px; }}
    QFrame[role="bubble-system"], QFrame[role="bubble-tool"] {{ background: {t.sunken}; border-radius: 10px; }}
    QFrame[role="line"] {{ background: {t.hairline}; border: none; }}
    """


def _bars(t: Tokens) -> str:
    return f"""
    QProgressBar {{ background: {t.hairline}; border: none; border-radius: 3px; min-height: 6px;
        max-height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QScrollBar:vertical {{ background: transparent; width: 12px; margin: 2px; }}
    QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 2px; }}
    QScrollBar::handle {{ background: {t.edge}; border-radius: 4px; min-height: 32px; min-width: 32px; }}
    QScrollBar::handle:hover {{ background: {t.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """


def mixed(ground: str, tint: str, share: float) -> str:
    """`ground` with a share of `tint` in it."""
    a, b = QColor(ground), QColor(tint)
    pairs = ((a.red(), b.red()), (a.green(), b.green()), (a.blue(), b.blue()))
    return QColor(*(round(x + (y - x) * share) for x, y in pairs)).name()
