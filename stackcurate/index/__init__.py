"""Questions to a release, read-only."""
