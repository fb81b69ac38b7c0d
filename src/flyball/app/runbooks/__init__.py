"""Runbooks: what to do about an incident, as Markdown with steps that can be looked at, checked and run.

The files beside this one are the package's; the name of a file is what alerts and incidents link to. A folder
`runbooks/` beside a service.yaml adds to them, or takes the place of one of the same name.
"""
