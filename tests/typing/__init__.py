"""What type checkers make of kernels: programs that they accept, and programs that they refuse, line by line."""
