"""`python -m intertask` is the command line."""

from intertask.cli import main

main()
