"""The integrator's bench: the commands of `ems-edge` that look at devices, files and the store. One module for each.

Exit codes: 0 well, 1 it could not be done (no answer, refused, in use), 2 a file, an option or a variable is wrong.
What a person reads goes through `output`, so that a pipe gets plain lines and `--json` gets JSON alone.
"""
