"""Tests of dedup; a package because they share slow twins."""
