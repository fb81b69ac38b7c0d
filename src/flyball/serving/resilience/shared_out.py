"""What a service declares for the whole gateway, as each of its workers keeps it.

Bounds on memory and on work are divided, so that the sum over all workers keeps them; a worker that gets more than its
share of the traffic is at its part sooner, since nothing is lent. What a release's own process limits by itself (how
many rows may wait for it) is not divided: each worker has a process of its own to find that of.
"""

from msgspec.structs import replace

from flyball.core.declared.serving import Serving


def shared_out(serving: Serving, workers: int) -> Serving:
    """The part of one of so many workers; what cannot be divided any more is one.

    >>> part = shared_out(Serving(), 4)
    >>> part.overload.max_in_flight, part.retry_budget.per_s, part.shadow.max_rows, part.cache.max_rows
    (5000, 2.5, 250, 0)
    """
    if workers == 1:
        return serving
    cached = serving.cache.max_rows
    return replace(
        serving,
        overload=replace(serving.overload, max_in_flight=max(1, serving.overload.max_in_flight // workers)),
        retry_budget=replace(serving.retry_budget, per_s=serving.retry_budget.per_s / workers),
        cache=replace(serving.cache, max_rows=max(1, cached // workers) if cached else 0),
        shadow=replace(serving.shadow, max_rows=max(1, serving.shadow.max_rows // workers)),
    )
