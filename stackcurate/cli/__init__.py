"""Commands: thin words over the library's functions."""
