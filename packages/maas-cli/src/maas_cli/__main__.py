"""`python -m maas_cli`."""

from maas_cli.main import main

main()
