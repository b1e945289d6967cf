"""Opt-outs: who asked for what to be withdrawn, and which files that is."""
