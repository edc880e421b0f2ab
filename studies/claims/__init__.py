"""A test of the paper's claims on a miniature of the whole chain, which the study trains.

    python -m studies.claims --data DATA --held HELD --work WORK
    python -m studies.claims --report results/claims/claims.json

A small autoencoder in LTX's layout, a transformer pre-trained as a generator of its latents, then, at equal numbers of
steps and equal data: factorized conditioning against all frames at once, shortcut models against the flow model,
pre-trained weights against none, 32x32x8 against 8x8x4. Trainings are those of the recipe `ltx`.

DATA: photographs and videos, or what `python -m turbovsr.train.prepare` wrote; HELD: held-out videos of at least 9
frames and 96x96 pixels (files are halved). Repeat the command to resume; finished parts are skipped.
"""
