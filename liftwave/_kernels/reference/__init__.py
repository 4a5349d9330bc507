"""Reference kernels: readable array-API code that runs on any library."""
