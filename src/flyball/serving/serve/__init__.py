"""A gateway's effects: sockets, processes, disk and clock around the pure core of `flyball.serving`.

`answering`: one service, its releases and its log. `http`: the door. `workers`: several processes, one table, one
supervisor. Here itself: the door over gRPC, traces, and what is told to the operator.
"""
