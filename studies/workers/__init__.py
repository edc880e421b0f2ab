"""Measurements of runs of many workers: leases, efficiency, kills, and a simulation of up to 1,024 workers."""
