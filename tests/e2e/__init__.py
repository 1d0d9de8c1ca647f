"""End to end: the real window, the real command line, real child processes."""
