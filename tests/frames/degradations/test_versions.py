"""The stamp of the libraries that degraded frames depend on."""

import av
import cv2

from frames.degradations import versions


def test_the_stamp_names_encoder_and_libraries():
    assert f"PyAV {av.__version__}" in versions.stamp() and f"OpenCV {cv2.__version__}" in versions.stamp()


def test_x264_tells_its_version_in_its_streams():
    assert versions.x264().startswith("core ") and versions.x264()[5:8].isdigit()
