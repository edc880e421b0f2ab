"""Made-up records, as runs write them: nothing is timed here."""

import hashlib
from collections.abc import Callable

import pytest


def make(method, clip, psnr, seconds, *, data="set", lpips=0.25, expected=2, steps=None, size=(10, 20), **more):
    """One good record; `psnr` has a value a frame, `seconds` one a repetition."""
    score = {
        "title": "PSNR",
        "unit": "dB",
        "better": "higher",
        "digits": 2,
        "reason": None,
        "indices": list(range(len(psnr))),
        "signature": "psnr|y-bt601-studio|uint8|crop0|mean-frames,clips|v1",
        "short": "PSNR-Y",
        "frames": psnr,
    }
    distance = score | {
        "title": "LPIPS-alex",
        "short": "LPIPS-alex",
        "unit": "",
        "better": "lower",
        "digits": 4,
        "signature": "lpips|alex-v0.1|rgb|uint8|crop0|mean-frames,clips|v1",
        "indices": [0],
        "frames": [lpips],
    }
    times = {
        "clock": "perf_counter",
        "first_call_s": 9.0,
        "warmup": 1,
        "peak_memory_mb": 100.0,
        "peak_memory_kind": "process, resident",
        "repetitions": [
            {"total_s": s, "stages_s": {"encode": 0.25 * s, "decode": 0.5 * s, "other": 0.25 * s}} for s in seconds
        ],
    }
    return {
        "data": data,
        "clip": clip,
        "method": method,
        "status": "ok",
        "reason": None,
        "frames": len(psnr),
        "lr_size": list(size),
        "scale": 4,
        "expected_clips": expected,
        "protocol": "vid4",
        "lr_origin": "given",
        "data_config": {"degradation": "bi"},
        "device": "a machine",
        "descriptor": {"dtype": "float32", "weights": "a file", "notes": "", "parameters": 2_500_000},
        "method_config": {} if steps is None else {"steps": steps},
        "sr_sha256": hashlib.sha256(f"{method} {clip}".encode()).hexdigest(),
        "scores": {"psnr": score, "lpips-alex": distance},
        "timing": {"tensors": times},
        "date": "2026-01-02T00:00:00",
        **more,
    }


@pytest.fixture
def record() -> Callable[..., dict]:
    return make


@pytest.fixture
def crowd() -> list[dict]:
    """Two interpolations, a fast and a slow model with one and four steps, on four clips of four sizes."""
    found = []
    for number, clip in enumerate("abcd"):
        base, size = 20 + 3 * number, (10 * (number + 1), 20)
        for method, gain, cost, steps in (
            ("plain", 0.0, 0.001, None),
            ("sharp", 0.05 * (-1) ** number, 0.002, None),
            ("model[steps=1]", 1.0 + 0.1 * number, 0.1, 1),
            ("model[steps=4]", 1.5 + 0.1 * number, 0.3, 4),
        ):
            seconds = [cost * (number + 1) * spread for spread in (1.0, 1.02, 0.97)]
            lpips = 0.3 - 0.1 * gain
            found.append(
                make(method, clip, [base + gain] * 3, seconds, lpips=lpips, expected=4, steps=steps, size=size)
            )
    return found
