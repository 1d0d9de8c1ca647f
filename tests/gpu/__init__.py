"""Tests that need a CUDA card; they skip themselves without one and need no Qt."""
