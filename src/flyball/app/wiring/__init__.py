"""The composition root: the one place that joins what decides to what does I/O. A room a task.

`processes`: children that run a service's code. `stores`: what a home keeps, and its sweep. `training`: from rows to a
registered release. `serving`: the gateway of one process or several, and `flyball up`. `loop`: the controller.
`asking`: questions to a home. `replay`: the same world under a simulated clock. Here itself: the ledger, the relay and
its receivers, models brought in, and the demo.
"""
