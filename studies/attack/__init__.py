"""Hostile inputs: damaged and made-up files, options and paths given to every command, each in a process of its own."""
