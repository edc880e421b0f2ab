"""The exchange of fidelity for texture: scores relative to bicubic's of frames between those of two methods.

    python -m studies.blends method=realesrgan method.model=x4plus data=sample_real --with turbovsr_real

The options are those of `bench run`: one method, one data set. A row is `share * SR + (1 - share) * other`, per value,
rounded once. No method can have the best PSNR and the best perceptual score of one input at once (Blau and Michaeli,
"The Perception-Distortion Tradeoff", CVPR 2018); the rows show which pairs of scores two given methods reach.
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import track

from baselines.interpolation import Interpolation
from frames.command_line import Parser, guarded, process
from frames.errors import OK
from studies.layers import METRICS, clips_of, scores
from studies.pairs import upscaler
from turbovsr.geometry import SCALE

SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)


def main() -> int:
    parser = Parser("python -m studies.blends", (__doc__ or "").strip())
    parser.add_argument("words", nargs="+", metavar="WORD", help="method=NAME data=SET, as in bench run")
    parser.add_argument("--with", dest="other", default="bicubic", metavar="NAME", help="the other method")
    arguments = parser.parse_args()
    method = upscaler([word for word in arguments.words if word.startswith("method")])
    other = upscaler([f"method={arguments.other}"])
    clips = clips_of([word for word in arguments.words if not word.startswith("method")])
    base = scores(map(Interpolation("bicubic", SCALE).upscale, (lr for lr, _ in clips)), clips)
    listed = track(clips, "upscaling", transient=True, console=Console(stderr=True))
    pairs = [(method.upscale(lr).float(), other.upscale(lr).float()) for lr, _ in listed]
    print("share   LPIPS   DISTS  PSNR-Y")
    for share in SHARES:
        found = scores((other.lerp(sr, share).round().byte() for sr, other in pairs), clips)
        lpips, dists = (found[name] / base[name] - 1 for name in METRICS[:2])
        print(f"{share:5.1f} {lpips:+7.1%} {dists:+7.1%} {found['psnr-y'] - base['psnr-y']:+7.2f}", flush=True)
    return OK


if __name__ == "__main__":
    process(lambda _: guarded("studies.blends", main))
