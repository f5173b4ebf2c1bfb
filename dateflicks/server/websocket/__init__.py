"""The WebSocket layer: Sanic makes the handshake, a frame pump of ours drives the connection from there.

Frames are parsed as they arrive and handed on at once, so nothing waits in a queue on the way in; what a peer does not
read is bounded on the way out. Start reading at `gate.py` (what services use), then `connection.py`.
"""
