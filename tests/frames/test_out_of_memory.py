"""Errors that mean that memory was refused, as libraries word them."""

import pytest

from frames.out_of_memory import is_out_of_memory


@pytest.mark.parametrize(
    ("said", "is_memory"),
    [
        ("CUDA out of memory. Tried to allocate 2.00 GiB", True),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True),
        ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED", True),
        ("CUDA error: an illegal memory access was encountered", False),
    ],
)
def test_cuda_and_its_libraries_word_it_each_in_their_own_way(said, is_memory):
    assert is_out_of_memory(RuntimeError(said)) == is_memory
