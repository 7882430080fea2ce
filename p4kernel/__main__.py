"""``python -m p4kernel``: the command line, where its script is not on PATH."""

from p4kernel.cli import main

main(prog_name="p4kernel")
