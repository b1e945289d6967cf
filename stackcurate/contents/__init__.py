"""Content stores: where the bytes of a blob come from."""
