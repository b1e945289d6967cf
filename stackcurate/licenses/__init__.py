"""Licenses: what is stated, where, and what the policy makes of it."""
