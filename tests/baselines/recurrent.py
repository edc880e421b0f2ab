"""Made-up checkpoints of recurrent networks under the names of their publishers, and the blocks by those names."""

import torch
import torch.nn.functional as F

SPYNET = (8, 32, 64, 32, 16, 2)


def convolution(state, name, inputs, outputs, size=3, generator=None):
    """Add a convolution with random weights of sensible size."""
    scale = 0.5 * (inputs * size * size) ** -0.5
    state[f"{name}.weight"] = scale * torch.randn(outputs, inputs, size, size, generator=generator)
    state[f"{name}.bias"] = 0.1 * torch.randn(outputs, generator=generator)


def spynet(state, name, of_mmagic):
    """Add SPyNet: MMagic numbers convolutions 0 to 4 and adds `.conv`, BasicSR counts activations between them."""
    for level in range(6):
        for index, (inputs, outputs) in enumerate(zip(SPYNET, SPYNET[1:])):
            last = f"{index}.conv" if of_mmagic else str(2 * index)
            convolution(state, f"{name}.basic_module.{level}.basic_module.{last}", inputs, outputs, 7)
    state[f"{name}.mean"] = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    state[f"{name}.std"] = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def residuals(state, name, inputs, channels, blocks):
    """Add residual blocks behind one convolution."""
    convolution(state, f"{name}.main.0", inputs, channels)
    for index in range(blocks):
        for conv in ("conv1", "conv2"):
            convolution(state, f"{name}.main.2.{index}.{conv}", channels, channels)


def conv(state, name, x):
    return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], padding=state[f"{name}.weight"].shape[2] // 2)


def run_residuals(state, name, x, blocks):
    """conv, leaky ReLU 0.1, then blocks of x + conv(relu(conv(x)))."""
    x = F.leaky_relu(conv(state, f"{name}.main.0", x), 0.1)
    for index in range(blocks):
        at = f"{name}.main.2.{index}"
        x = x + conv(state, f"{at}.conv2", F.relu(conv(state, f"{at}.conv1", x)))
    return x


def run_upsampling(state, up1, up2, x, frame, at=""):
    """Two convolutions with pixel shuffles, two more, and the enlarged LR frame on top."""
    x = F.leaky_relu(F.pixel_shuffle(conv(state, up1, x), 2), 0.1)
    x = F.leaky_relu(F.pixel_shuffle(conv(state, up2, x), 2), 0.1)
    x = conv(state, f"{at}conv_last", F.leaky_relu(conv(state, f"{at}conv_hr", x), 0.1))
    return x + F.interpolate(frame, scale_factor=4, mode="bilinear", align_corners=False)


def bilinear(image, y, x):
    """Sample of a (C, H, W) image at a real position; zeros lie outside."""
    height, width = image.shape[-2:]
    top, left = int(torch.floor(torch.tensor(y))), int(torch.floor(torch.tensor(x)))
    total = torch.zeros(len(image))
    for row in (top, top + 1):
        for column in (left, left + 1):
            if 0 <= row < height and 0 <= column < width:
                total += image[:, row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return total


def warped(image, flow):
    """Each pixel p of a (1, C, H, W) image becomes the sample at p + flow(p), pixel by pixel."""
    out = torch.zeros_like(image)
    for y in range(image.shape[2]):
        for x in range(image.shape[3]):
            dx, dy = flow[0, :, y, x].tolist()
            out[0, :, y, x] = bilinear(image[0], y + dy, x + dx)
    return out


def eight_bits(x):
    return (x * 255).add(0.5).clamp(0, 255).to(torch.uint8)
