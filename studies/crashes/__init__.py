"""Runs that are killed, and runs under bad conditions: no measurement may be lost."""
