"""`make setup` and `make doctor`: everything that a `pulumi up` needs, found or fetched or built, on one machine.

This package runs on the machine's own Python, before the project's virtual environment exists, so it uses the standard
library only. Each part of the set-up is one module with two functions: `settle` makes the part ready and returns what
it chose, `check` says what is missing without changing anything.
"""
