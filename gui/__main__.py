"""`python -m gui` opens the window; imports live inside main(), as spawned children read this file again."""

import sys


def main() -> int:
    """Open the window and return the exit code."""
    from multiprocessing import freeze_support

    freeze_support()
    from gui.app import run

    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
