"""One sentence for every key under `alerts` of `service.yaml`."""

ALERTED: dict[str, dict[str, str]] = {
    "Alerts": {
        "owner": "Whose the tickets are, and the pages where nobody is on call; else `metadata.owner`.",
        "on_call": "Who is paged, level by level: names or addresses, or a list of them for one level.",
        "rotation": "They take turns; without it the levels stay as they are.",
        "escalate_s": "A page that nobody takes goes one level up after so long.",
        "to": "Where alerts go; without any they stand on the ledger alone.",
        "runbooks_url": "Where runbooks are published; `{runbook}` in it becomes a name, else that and `.md` follow.",
        "flap": "What comes and goes is one alert, or none.",
        "canary_quiet": "Errors and slow answers of the candidate alone are left to its rollout for `flap.calm_s`.",
        "wait_for_remedy": "Nobody is told of what a remedy is busy with, until it is known whether it helped.",
    },
    "Rotation": {
        "start": "When the first turn begins, with its offset (`2026-11-30T09:00:00Z`); before it nobody has moved.",
        "turn_s": "How long a turn is; with each the first level goes behind the last that turns.",
        "levels": "So many of the first levels turn; else all.",
    },
    "Flap": {
        "calm_s": "An alert is over when its cause has been gone for so long.",
        "times": "A cause that came more often than this within `within_s` is told no more until it comes less often.",
        "within_s": "The time in which its comings are counted.",
        "stays_s": "What flaps is told all the same once it has stayed for so long.",
    },
    "AlertDestination": {
        "format": "Who is told, or where work is filed.",
        "to": "An address as the format has it, or `env:NAME`: it stands in that environment variable.",
        "name": "Its name in the delivery log; else that of the format.",
        "urgency": "Which alerts go there.",
        "secret": "Environment variable with the secret that signs each message of a webhook (Standard Webhooks).",
        "token": "Environment variable with the token, routing key or password.",
        "user": "Whom the token or the password is of: the login of Jira Cloud, or of the mail server.",
        "sender": "Address that mails come from.",
        "server": "Host and port of the mail server; without a port 587.",
        "project": "Key of the project in Jira.",
    },
}
