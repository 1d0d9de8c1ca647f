"""Tests of the window: real pages, real child processes, no mocks of Qt."""
