"""The bridge to torch: tensors that record gradients, are traced or batched, and learned taps.

Nothing here is imported before a tensor needs it. One operator runs every operation, and its
derivative is an operation that the same operator runs (:mod:`~liftwave._bridge.operator`). Under
``torch.compile`` a public function is one node of the graph (:mod:`~liftwave._bridge.graph`).
"""
