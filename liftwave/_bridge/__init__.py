"""The bridge to torch: tensors that record gradients, are traced or batched, and learned taps.

These modules are imported only when a tensor needs them. One operator runs every operation. The
derivative is an operation that the same operator runs (:mod:`~liftwave._bridge.operator`). Under
``torch.compile`` a public function is one node of the graph (:mod:`~liftwave._bridge.graph`).
"""
