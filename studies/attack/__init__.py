"""Hostile inputs for every command: damaged and invented files, options and paths, each in a process of its own."""
