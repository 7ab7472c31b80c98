"""`python -m hostloom.cli` is `hostloom`."""

from hostloom.cli.main import main

main()
