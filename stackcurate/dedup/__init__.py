"""Dedup: exact and near duplicates, each drop verified against a kept file."""
