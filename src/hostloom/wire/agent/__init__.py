"""The probe agent: a program that any python3 (3.8 or later) of a host runs from its stdin.

It takes a job as JSON in its one argument and prints its answer as JSON. Everything that it makes belongs to
a network namespace without a name, which ends with the process, however that ends. On the host it has the
standard library and iproute2, and nothing of hostloom: `program.py` joins the modules of this package.
"""
