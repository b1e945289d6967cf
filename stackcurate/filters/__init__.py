"""Filters: signals about a file's text, and the policy that drops by them."""
