"""Redaction: personal data and secrets are found, marked and replaced; no value leaves a file."""
