"""Entry point: no argument, or paths to open, opens the window; anything else is a headless command."""

import sys
from pathlib import Path


def main() -> None:
    """Start the window or answer on the command line."""
    words = sys.argv[1:]
    if not words or all(map(is_path, words)):
        # by name: core must not import gui, and the window must start without the command line's libraries
        from importlib import import_module

        sys.exit(import_module("gui.__main__").main())
    else:
        from core.cli import run

        run()


def is_path(word: str) -> bool:
    """Whether a word names a file or folder that is there; a bare name without an ending is a command's."""
    bare = Path(word).name == word and "." not in word
    return not bare and Path(word).exists()


if __name__ == "__main__":
    main()
