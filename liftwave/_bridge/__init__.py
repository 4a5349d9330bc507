"""The bridge to torch: tensors that record gradients, are traced or batched, and learned taps.

Nothing here is imported before a tensor needs it. A linear transform is written as a program
(:mod:`~liftwave._bridge.programs`), and one operator runs programs, whichever way and however
often they are transposed (:mod:`~liftwave._bridge.linear`). Transforms whose taps are tensors
have operators that give their gradients too (:mod:`~liftwave._bridge.learned`).
"""
