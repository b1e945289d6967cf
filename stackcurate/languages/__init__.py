"""Languages: what a file is written in, and what kind of file it is."""
