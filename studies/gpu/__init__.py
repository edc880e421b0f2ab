"""The GPU runbook: measurements to repeat on a CUDA machine, one command for each step.

    python -m studies.gpu check      correctness: CUDA against CPU, clocks, stages that add up
    python -m studies.gpu headline   a 2-second 1080p clip by all paths and other methods, a large image, the envelope
    python -m studies.gpu profile    the top ten kernels of the slowest stage
    python -m studies.gpu training   a training step at the 2B shape: seconds, memory against the budget, MFU

Each writes a JSON file and a log under results/gpu/ (or --out) row by row, so that a machine that is taken back loses
at most one row, and prints a short table at the end. `--tiny --device cpu` runs the same code at toy size; its times
mean nothing.
It needs torch, numpy, safetensors, psutil and PyYAML, `training` also OpenCV and rich; BasicVSR and Real-ESRGAN need
`.assets/basicvsr/reds4.pth` and `.assets/realesrgan`. Nothing here changes the card's clocks, power or compute mode.
"""
