"""What leaves this process: messages to destinations, traces to a collector, orders to a gateway's socket.

Begin with `receiver_http.py`; a new kind of destination is a file beside it.
"""
