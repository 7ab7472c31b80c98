"""The probe agent: a program that python3 (3.8 or later) of a host reads from standard input.

It takes a job as JSON in its only argument and prints its answer as JSON. Everything that it creates belongs
to an unnamed network namespace, which disappears with the process, even if the process is killed. The
program uses only the standard library and iproute2: `program.py` joins the modules of this package.
"""
