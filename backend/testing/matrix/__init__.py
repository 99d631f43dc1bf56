"""The role matrix of the API, as data: every operation x every actor x every target -> the expected answer.

`table/` holds the rows, one line each, `grids.py` the answers they refer to. `scene.py` makes the rows of the
database that the targets stand for, `run.py` asks every cell and compares. An operation of the API's description
that is missing from the table fails the test, and so does a row whose operation is gone.
"""
