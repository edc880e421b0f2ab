import dataclasses

import pytest
import torch

from tests.turbovsr.conftest import TINY, tiny_model
from turbovsr import conditioning
from turbovsr.conditioning import clip_task, coordinates, first_frame_task, trains_first_frame
from turbovsr.pixels import to_unit


def test_first_frame_task_generates_the_one_frame_at_sigma():
    task = first_frame_task()
    assert task.generated.tolist() == [True]
    assert task.times(torch.tensor([0.3, 0.8])).flatten().tolist() == pytest.approx([0.3, 0.8])


def test_clip_task_keeps_the_first_frame_clean_at_time_zero():
    task = clip_task(3)
    assert task.generated.tolist() == [False, True, True]
    assert task.times(torch.tensor([0.7])).flatten().tolist() == pytest.approx([0, 0.7, 0.7])
    noisy, clean = torch.randn(1, 4, 3, 2, 2), torch.randn(1, 4, 3, 2, 2)
    mixed = task.insert_given(noisy, clean)
    assert torch.equal(mixed[:, :, 0], clean[:, :, 0]) and torch.equal(mixed[:, :, 1:], noisy[:, :, 1:])


def test_clip_task_needs_a_clip():
    with pytest.raises(ValueError, match="at least 2 latent frames"):
        clip_task(1)


def test_tasks_alternate():
    assert [trains_first_frame(step) for step in range(4)] == [True, False, True, False]


def test_tokens_are_dated_by_their_first_frame_and_placed_in_hr_pixels():
    places = coordinates(3, 2, 2, fps=10.0)
    assert places[:, 0, 0, 0].tolist() == pytest.approx([0, 0.1, 0.9])
    assert places[0, :, 0, 1].tolist() == [0, 32] and places[0, 0, :, 2].tolist() == [0, 32]


def test_condition_of_an_image_is_that_of_the_first_frame(model):
    lr = torch.rand(1, 3, 17, 16, 24)
    condition = model.projection(lr)
    assert condition.shape == (1, 32, 3, 2, 3)
    assert torch.allclose(model.projection(lr[:, :, :1]), condition[:, :, :1], atol=1e-6)


def test_projecting_one_latent_frame_at_a_time_gives_what_all_at_once_give(model):
    lr = torch.rand(2, 3, 17, 16, 24) * 2 - 1
    with torch.enable_grad():  # as in training: all at once
        expected = model.projection(lr).detach()
    with torch.inference_mode():
        assert torch.allclose(model.projection(lr), expected, atol=1e-6)


def test_given_frame_has_no_velocity_and_ignores_the_noise_in_its_place(model):
    condition, clean, x = (torch.randn(1, 32, 2, 2, 2) for _ in range(3))
    field = model.velocity(condition, clip_task(2), clean)
    velocity = field(x, torch.tensor([0.9]), torch.tensor([1.0]))
    assert (velocity[:, :, 0] == 0).all() and (velocity[:, :, 1] != 0).any()
    x[:, :, 0] += 1
    assert torch.equal(field(x, torch.tensor([0.9]), torch.tensor([1.0])), velocity)


def test_one_step_from_noise_is_what_a_network_of_samples_says_and_many_steps_end_in_its_last_word():
    model = tiny_model(dataclasses.replace(TINY, prediction_type="sample"))
    condition, noise = (torch.randn(2, 32, 1, 2, 2) for _ in range(2))
    ones = torch.ones(2)
    said = model.transformer(0 * noise, condition, first_frame_task().times(ones), ones)  # it is shown no pure noise
    assert torch.allclose(model.sample_first(condition, noise, 1), said, atol=1e-6)
    heard = []
    model.transformer.register_forward_hook(lambda module, inputs, output: heard.append(output))
    sampled = model.sample_first(condition, noise, 4)
    assert len(heard) == 4 and torch.allclose(sampled, heard[-1], atol=1e-5)


def test_a_network_of_velocities_is_believed():
    model = tiny_model(dataclasses.replace(TINY, prediction_type="velocity"))
    condition, noise = (torch.randn(2, 32, 1, 2, 2) for _ in range(2))
    ones = torch.ones(2)
    said = model.transformer(noise, condition, first_frame_task().times(ones), ones)
    assert torch.allclose(model.sample_first(condition, noise, 1), noise - said, atol=1e-6)


def test_projecting_pixels_in_bands_gives_what_their_values_give_at_once(model, monkeypatch):
    pixels = torch.randint(0, 256, (1, 3, 17, 40, 24), dtype=torch.uint8)
    with torch.inference_mode():
        expected = model.projection(to_unit(pixels, pixels.device))
        for cells in (1, 7, 9):  # bands of a row, and of two or three
            monkeypatch.setattr(conditioning, "CELLS_AT_ONCE", cells)
            assert torch.allclose(model.projection(pixels), expected, atol=1e-5)
