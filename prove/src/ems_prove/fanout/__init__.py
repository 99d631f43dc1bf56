"""How many deliveries a second a WebSocket server makes, and how late they are: ours, and what others use.

`load.py` is the load: one process that publishes, receives and counts. `servers.py` starts who is measured,
`contest.py` lets them take turns. What is counted and why that can be trusted: `bench/README.md`.
"""
