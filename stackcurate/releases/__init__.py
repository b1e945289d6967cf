"""Releases: what is published, and how anyone can check it."""
