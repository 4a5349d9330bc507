"""
Train, save and export a network with LiftPool
==============================================

:class:`liftwave.torch.LiftDownPool2d` halves images by learned lifting steps. This example trains
a small network of handwritten digits with it, compares it with max pooling, and writes it to
files.
"""

# %%
# Scikit-learn contains 1797 images of 8 x 8 pixels. A quarter of them is for the test.
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from liftwave.torch import LiftDownPool2d, LiftUpPool2d, auxiliary_loss, replace_pooling

torch.set_num_threads(1)  # more threads are slower for such small tensors
torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
labels = torch.tensor(digits.target)
x, x_test, y, y_test = train_test_split(images, labels, test_size=0.25, random_state=0)

# %%
# A network with max pooling
# --------------------------


def network() -> nn.Sequential:
    """Two convolutions with max pooling, and a linear classifier."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(128, 10)),
    )


def train(model: nn.Module, rounds: int = 60) -> list[float]:
    """The loss of each round. ``auxiliary_loss`` contains the penalties of the pooling layers."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(rounds):
        rows = torch.randint(len(x), (256,))
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        (loss + auxiliary_loss(model)).backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@torch.no_grad()
def accuracy(model: nn.Module) -> float:
    """The fraction of the test images that are classified correctly."""
    return float((model.eval()(x_test).argmax(1) == y_test).float().mean())


# %%
# The same network with LiftPool
# ------------------------------
#
# ``replace_pooling`` replaces the pooling layers of a model and reports what it did.
with_max, with_lift = network(), network()
with_lift.load_state_dict(with_max.state_dict())
print(replace_pooling(with_lift, lambda place: LiftDownPool2d(place.channels), x[:1]))

losses = {"max pooling": train(with_max), "LiftPool": train(with_lift)}
print(
    f"max pooling: {accuracy(with_max):.1%}, LiftPool: {accuracy(with_lift):.1%} of the test digits"
)

# %%
fig, ax = plt.subplots(figsize=(7, 3.2))
for (name, values), color in zip(losses.items(), ("#9aa5b1", "#1f4e79"), strict=True):
    ax.semilogy(values, color=color, label=name)
ax.set(xlabel="round", title="cross entropy of each batch")
ax.legend()
plt.show()

# %%
# The loss with LiftPool falls faster at first; at the end, both are similar. In this short
# training, max pooling classifies more test digits correctly. One training does not show which
# pooling is better: accuracies change by one or two points with the seed. :doc:`/reproductions`
# compares twenty-one pooling layers with several seeds each.
#
# Invertible pooling
# ------------------
#
# A lifting pool with all bands is invertible. :class:`~liftwave.torch.LiftUpPool2d` shares its
# parameters.
down = LiftDownPool2d(1, output="bands")
up = LiftUpPool2d(down)
with torch.no_grad():
    bands = down(x_test[:1])
    restored = up(bands, (8, 8))
    smooth = up({"LL": bands["LL"]}, (8, 8))  # missing bands are zero
fig, axes = plt.subplots(1, 4, figsize=(8, 2.3))
titles = ("a digit", "band LL", "restored from LL", "restored from all bands")
for ax, title, values in zip(
    axes, titles, (x_test[:1], bands["LL"], smooth, restored), strict=True
):
    ax.imshow(values[0, 0].numpy())
    ax.set_title(title)
    ax.set_axis_off()
plt.show()
print(f"largest difference after the round trip: {float((restored - x_test[:1]).abs().max()):.0e}")

# %%
# The band LL is a smaller, smoothed digit. Restored from it alone, the digit is blurred. Restored
# from all four bands, it is the original up to rounding.
#
# Files
# -----
#
# The ``state_dict`` holds the parameters. ``torch.export`` writes a program that runs without the
# classes of the model, for batches of any size. It needs ``import liftwave.torch``.
with tempfile.TemporaryDirectory() as folder:
    torch.save(with_lift.state_dict(), Path(folder) / "digits.pt")
    loaded = network()
    replace_pooling(loaded, lambda place: LiftDownPool2d(place.channels), x[:1])
    loaded.load_state_dict(torch.load(Path(folder) / "digits.pt", weights_only=True))
    print("loaded:", torch.equal(loaded.eval()(x_test), with_lift(x_test)))

    batch = torch.export.Dim("batch", min=2, max=1024)
    program = torch.export.export(with_lift, (x_test,), dynamic_shapes=({0: batch},))
    torch.export.save(program, Path(folder) / "digits.pt2")
    exported = torch.export.load(Path(folder) / "digits.pt2").module()
    print("exported:", torch.allclose(exported(x_test[:7]), with_lift(x_test[:7]), atol=1e-5))

# %%
# The guide :doc:`/guide/torch` writes ONNX files, too.
