"""Builds sample_data/: one of everything that the pipeline must know how to handle.

Every file is declared together with what must become of it and why, so that ``expected.json`` is
written from the intent. Nothing is random, and no date is today's.
"""
