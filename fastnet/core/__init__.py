"""Between Python and the C kernels: the compiled module, the parameters, random numbers."""
