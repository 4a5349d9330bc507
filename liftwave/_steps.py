"""The functions that are single steps for ``torch.compile``, by name."""

from liftwave._bridge.tracing import step
from liftwave.pooling import _placed
from liftwave.pooling.calls import weighted_pool
from liftwave.pooling.lifting import lift_down_step, lift_up_step
from liftwave.transforms.dwt import dwt, idwt
from liftwave.transforms.dwtn import dwtn, idwtn
from liftwave.transforms.multilevel import wavedec, wavedec2, wavedecn, waverec, waverec2, waverecn

STEPS = {
    "max_pool": step(_placed.largest),
    "max_unpool": step(_placed.put_back),
    "spread": step(_placed.spread),
    "conv_transpose": step(_placed.convolved),
} | {
    function.__name__: step(function)
    for function in (
        *(dwt, idwt, dwtn, idwtn),
        *(wavedec, waverec, wavedec2, waverec2, wavedecn, waverecn),
        weighted_pool,
        *(lift_down_step, lift_up_step),
    )
}
