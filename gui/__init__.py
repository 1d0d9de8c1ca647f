"""What the user sees: a PySide6 window around core; nothing in here imports torch."""
