"""Tests: real objects, real processes, few stand-ins."""
