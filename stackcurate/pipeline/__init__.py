"""The pipeline: the road of a file from a listed source to a published release.

``run.py`` is the recipe; each other file is one step of it.
"""
