"""The door over HTTP: routes, who may ask, what a connection may cost, `/metrics`.

Most requests never reach a route: where nothing guards the door, one accepted row goes by `short_way.py`, from the
parser to the champion. All others come to `asgi.py`, through `guard.py` where credentials are asked; begin there.
"""
