"""Tests of core without torch."""
