"""stackcurate: code datasets from repository snapshots that people can check and trust."""

__version__ = "0.1.0"
