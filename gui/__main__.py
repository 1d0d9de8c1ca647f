"""`python -m gui` opens the window; imports live inside main(), as spawned children read this file again."""

import sys


def main() -> int:
    """Open the window and return the exit code."""
    from multiprocessing import freeze_support

    freeze_support()
    from core.i18n import set_language
    from core.settings import load
    from gui.screen import no_screen

    set_language(load().language)
    if words := no_screen():
        print(words, file=sys.stderr)
        return 1
    from gui.app import run

    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
