"""The gateway: rows come in, a release answers, and every row is counted and recorded.

The rooms. `protocols`: bodies to rows, and answers to bodies. `access`: who may ask. `routing`: which arm a row goes
to. `resilience`: limits, breakers, filters, the fallback chain. `counting`: what is counted of each row. All of them,
and the files here, are pure; the effects are in `serve`: `serve.http` (the door), `serve.answering` (one service),
`serve.workers` (several processes).

The path of one request, in the order of reading:

1. `serve.http.server` listens; `bounds` holds each connection to size and time.
2. Without a guard `short_way` takes one plain row from the parser to `Joined`. Everything else, and all that `guard`
   lets in, comes to `asgi.Door`, and from there to `form_routes` (MLflow, KServe v1) or `oip_routes` (V2) if it is
   theirs.
3. `serve.answering.joined.Joined` makes one batch of the plain single rows that came in one turn; several rows, and
   other forms, go to `Served` at once.
4. `Served.begin`: the deadline, and whether there is room. `Gateway.begin`: contract, filters, unit, arm, id.
5. `Conversation` asks: `Arms` knows who is behind an arm, `champion` answers in this process, others in theirs. The
   fallback chain follows for rows whose arm fails or stays away too long.
6. `Gateway.finish` counts, `records.Recorder` makes a record of each row, `Capture` brings it to the prediction log.
"""
