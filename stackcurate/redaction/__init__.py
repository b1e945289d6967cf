"""Redaction: personal data and secrets, found and replaced."""
