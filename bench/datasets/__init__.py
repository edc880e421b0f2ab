"""Data sets: clips with LR frames and their ground truth, one file for each layout."""

LAYOUTS = "a video, a folder of frames (one clip), a folder of such folders, or a folder of videos (a clip each)"
"""The layouts that a folder of one's own may have."""
NOWHERE = "(none)"
"""The root of a data set that was given none."""
