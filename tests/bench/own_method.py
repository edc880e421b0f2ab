"""A method of a user's own, for tests: a class in a Python file, and the YAML that names it."""

from pathlib import Path

AS_NEAREST = "kernel: nearest\nscale: ${scale}\ndevice: ${device}\n"
HELD = """
import time
from pathlib import Path
from baselines.interpolation import Interpolation

class Held(Interpolation):
    def upscale(self, lr, stages):
        while Path(__file__).with_name("hold").exists():
            time.sleep(0.05)
        return super().upscale(lr, stages)
"""


def write_method(folder: Path, name: str, code: str, options: str = AS_NEAREST) -> Path:
    """Write folder/NAME.py, which has a class of that name with a capital; returns the folder for `--config-dir`.

    Args:
        options: lines of YAML, what the class is built with; as an `Interpolation` where none are given.
    """
    (folder / f"{name}.py").write_text(code)
    file = folder / "mine" / "method" / f"{name}.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"_target_: {name}.{name.title()}\nname: {name}\nsummary: of a test\n{options}")
    return folder / "mine"


def write_held(folder: Path) -> Path:
    """Write the method `held`, which goes on once folder/hold is gone; returns the folder for `--config-dir`."""
    (folder / "hold").touch()
    return write_method(folder, "held", HELD)
