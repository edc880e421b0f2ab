"""Training of TurboVSR: `python -m turbovsr.train recipe=NAME data=PATH out=FOLDER`. Upscaling needs nothing of it."""
