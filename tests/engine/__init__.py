"""Tests of the engine: real tiny models, really trained."""
