"""Stands in for `bench.envelope.child` where the hard limit of a process's data is below the limit asked for."""

import json
import sys
from pathlib import Path

sys.stdin.readline()
Path(sys.argv[1]).write_text(json.dumps({"outcome": "failed", "environment": "raise ulimit -Hd"}), encoding="utf-8")
