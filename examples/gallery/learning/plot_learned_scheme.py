"""
Learn the taps of a lifting scheme with torch
=============================================

The taps of a lifting step can be tensors with gradients. The transform remains invertible for all
values of the taps, so it reconstructs perfectly before, during and after training. This example
learns a high-pass filter that rejects two tones.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

import liftwave as lw

MODE = "reflect"
TONES = (0.11, 0.31)  # cycles per sample


def tones(count: int, samples: int, seed: int) -> torch.Tensor:
    """Signals of both tones with random phases and amplitudes, and a little noise."""
    rng = np.random.default_rng(seed)
    phases = rng.uniform(0, 2 * np.pi, (2, count, 1))
    heights = rng.uniform(0.5, 1.5, (2, count, 1))
    turns = 2 * np.pi * np.array(TONES)[:, None, None] * np.arange(samples)
    clean = (heights * np.sin(turns + phases)).sum(axis=0)
    return torch.as_tensor(clean + 0.01 * rng.standard_normal(clean.shape))


# %%
# The scheme is that of CDF 5/3, with a prediction of four taps. It contains the tensor itself, so
# it follows the training.


def scheme_of(predict: object) -> lw.LiftingScheme:
    """CDF 5/3 with its prediction replaced by other taps."""
    return lw.LiftingScheme(
        [
            lw.LiftingStep("predict", predict, offset=1 - len(predict) // 2),
            lw.LiftingStep("update", [1 / 4, 1 / 4], offset=-1),
        ]
    )


def detail_share(x: torch.Tensor, scheme: lw.LiftingScheme) -> torch.Tensor:
    """Power of the detail relative to the signal's, without the ends, where tones are mirrored."""
    _, detail = lw.dwt(x, scheme, mode=MODE)
    return (detail[:, 4:-4] ** 2).mean() / (x**2).mean()


def learn(x: torch.Tensor, start: list[float]) -> tuple[torch.Tensor, list[float]]:
    """Taps that minimize the detail, and the history of the loss."""
    predict = torch.tensor(start, dtype=x.dtype, requires_grad=True)
    scheme = scheme_of(predict)
    optimizer = torch.optim.Adam([predict], lr=0.02)
    losses = []
    for _ in range(200):
        loss = detail_share(x, scheme)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return predict.detach(), losses


start = [0.0, -0.5, -0.5, 0.0]
taps, losses = learn(tones(32, 256, seed=0), start)
before, after = scheme_of(start), scheme_of(taps.tolist())
print(after)

# %%
# Signals that were not used for training have another length, phases and amplitudes:
unseen = tones(32, 255, seed=1)
for name, scheme in (("CDF 5/3", before), ("learned", after)):
    print(f"{name}: {detail_share(unseen, scheme).item():.2e} of the power is in the detail")
restored = lw.idwt(*lw.dwt(unseen, after, mode=MODE), after, mode=MODE)
print(f"round trip: {float((restored - unseen).abs().max()):.1e}")

# %%
frequencies = np.linspace(0, 0.5, 501)
fig, (history, response) = plt.subplots(1, 2, figsize=(10, 3.4), width_ratios=(1, 1.4))
history.semilogy(losses, color="#1f4e79")
history.set(xlabel="round", title="share of the power in the detail")
for scheme, label, color in ((before, "CDF 5/3", "#9aa5b1"), (after, "learned", "#1f4e79")):
    filter_taps = np.array(scheme.to_filter_bank().dec_hi)
    waves = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(filter_taps.size)))
    response.plot(frequencies, np.abs(waves @ filter_taps), color=color, label=label)
for tone in TONES:
    response.axvline(tone, color="#d1495b", linewidth=0.8, linestyle=":")
response.plot([], [], ":", color="#d1495b", label="the tones")
response.set(xlabel="cycles per sample", title="magnitude of the high-pass")
response.legend()
plt.show()

# %%
# The left chart is the loss on a logarithmic axis. It falls to the level of the noise. In the
# right chart, the learned high-pass is zero at both tones. That of CDF 5/3 is zero only at
# frequency zero. The learned filter passes frequency zero, because no training signal has it:
# free taps do not keep vanishing moments. The guide :doc:`/guide/constraints` has constructions
# that do.
