"""Training of TurboVSR: `python -m turbovsr.train RECIPE [key=value ...]`. Nothing here is needed to upscale."""
