"""The part of a drafted service.yaml that says what may happen to live traffic: written out, so that it can be turned.

The default rollout is made for busy services: its first canary, 1 % of the units and 300 requests of its own, takes
30,000 requests. A new service would wait for days: it starts with larger shares and fewer requests, and says how to
slow down.
"""

ROLLOUT = """\
# How a new release takes over from the one that serves. Each step waits for its counts; rolling back needs nobody.
# To go slower: smaller weights, more steps, more requests. A canary at weight 0.01 that asks for 300 requests of its
# own takes 30,000 requests in all; `min_s: 24h` lets it live through a whole day.
rollout:
  steps:
    # answers copies of live rows, clients never see it; share: of the rows; `labels: required` waits for their labels
    - shadow: {share: 0.5, min_pairs: 200, timeout_s: 24h, on_timeout: hold}
    - approval: {role: approver, timeout_s: 7d, on_timeout: abort} # `flyball approve`; metadata.people says who may
    # weight: share of the units (see data.key) that meet it; min_requests: answered by it, here of about 1,000 in all
    - canary: {weight: 0.1, min_requests: 100, min_s: 1m, timeout_s: 24h, on_timeout: hold}
    - canary: {weight: 0.5, min_requests: 200, min_s: 1m, timeout_s: 24h, on_timeout: hold}
    - promote: {}
"""
RETRAIN = """\
retrain:
  triggers: [drift, risk, trend] # inputs or answers that moved; labels that show a loss, or one that grows
  from: captured # labelled rows of live traffic, then of data.source; `source`: that table, read again
  window_rows: 20000 # the newest rows that are learned from
  min_new_rows: 2000 # labelled rows that must have come since the last training
  cooldown_s: 24h # least time between two trainings; at least the delay of the labels
  budget: {runs_per_week: 3} # that the loop may order alone; a person's word is not bound by it
"""
AUTONOMY = """\
autonomy:
  rollback: auto # always
  retrain: suggest # a person starts it; observe, suggest, approval or auto
  promote: approval # auto: a rollout without an approval step needs nobody
  first: auto # the first release that passes its gates serves at once; approval: it waits
"""
SERVING = """\
serving:
  objectives: {availability: 0.999, latency_p99_ms: 100}
  deadline_ms: 1000 # later than this the model gave no answer, and the chain is asked
  fallback: [previous] # who answers then: previous, cached, a rule, a constant
  probes: {every_s: 10s} # requests of the home's own, so that a fault is seen where no client asks
  log: {retention_s: 180d} # rows of clients that are older are deleted
"""
REVIEW = """\
review:
  digests: [weekly, monthly, quarterly] # what happened, written up by the controller
"""
DRILLS = """\
drills: {fallback: weekly, disaster: quarterly} # what is overdue is told; `flyball drill list` names the faults
"""
TOLD = """\
# Only you know these two. Take the signs of comment away, and `flyball check` no longer calls them open.
# alerts: # who is told; without it nobody is
#   on_call: [ann, [bob, eve@example.org]] # who is woken, level by level; `rotation` lets them take turns
#   runbooks_url: https://wiki.example.org/{runbook} # a page links its runbook: publish them there
#   to:
#     - {format: ticket_file, to: "file:tickets"} # files in the home; try it: flyball alerts test
#     - {format: pagerduty, to: "https://events.pagerduty.com", token: PAGERDUTY_KEY, urgency: page} # or slack, ...
# slo: # error budgets: one that is spent stops promotions, never the way back; none is in the first hour of traffic
#   objectives:
#     - {name: answered, sli: availability, target: 0.999}
#     - {name: fast, sli: latency, target: 0.99, limit_ms: 100}
"""
