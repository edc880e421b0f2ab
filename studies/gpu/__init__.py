"""What is to be measured whenever a CUDA machine is at hand: one command a step.

    python -m studies.gpu check      right first: CUDA against CPU, clocks, stages that add up
    python -m studies.gpu headline   a 2-second 1080p clip and what lies beside it, a large image, the envelope
    python -m studies.gpu profile    the top ten kernels of the slowest stage

Each writes a JSON and a log under results/gpu/ (or --out) as it goes, so that a machine that is taken back loses one row
at most, and prints a short table last. `--tiny --device cpu` runs the same code at toy size; its figures mean nothing.
Needed: torch, numpy, safetensors, psutil and PyYAML; for BasicVSR and Real-ESRGAN also `.assets/basicvsr/reds4.pth` and
`.assets/realesrgan`. Nothing here changes the card's clocks, power or compute mode.
"""
