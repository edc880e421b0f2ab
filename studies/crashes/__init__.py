"""Runs that are killed, and runs under conditions that nobody wants: what was measured must stay."""
