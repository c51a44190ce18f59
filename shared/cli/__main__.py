"""`python -m shared.cli` does what `waapi` does."""

from shared.cli.main import main

main()
