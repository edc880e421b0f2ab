"""Networks as ONNX files, run by onnxruntime: an optional extra."""

from baselines.onnx.upscaler import Onnx

__all__ = ["Onnx"]
