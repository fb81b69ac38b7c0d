"""Tests and bounds that may be read after every value and still keep their promise: sequences, sequential tests."""
