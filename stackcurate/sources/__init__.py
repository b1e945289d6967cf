"""Sources: where the files of repository snapshots are listed, and their bytes read."""
