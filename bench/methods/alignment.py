"""Alignment of frames made elsewhere with a clip of another length: an explicit policy, never in silence."""

EXACT = "exact"
"""As many frames as the clip has; anything else is refused."""
START = "start"
"""They begin together: frames beyond the clip's (a padded end) are left out; too few are refused."""
ALIGNMENTS = (EXACT, START)
