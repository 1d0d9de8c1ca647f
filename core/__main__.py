"""Entry point: no argument opens the window, anything else is a headless command."""

import sys


def main() -> None:
    """Start the window or answer on the command line."""
    if len(sys.argv) > 1:
        from core.cli import run

        run()
    else:
        # by name: core must not import gui, and the window must start without the command line's libraries
        from importlib import import_module

        import_module("gui.__main__").main()


if __name__ == "__main__":
    main()
