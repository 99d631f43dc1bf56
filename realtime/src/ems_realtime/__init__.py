"""Live streaming to browsers: one WebSocket per page, the sites its user may see, nothing else.

Start reading at `app.py` (one connection from handshake to close), then `hub.py` (who gets what).
"""
