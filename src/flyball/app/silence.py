"""How long a controller may be unheard of before people are told: `flyball status`, and drills, go by the same."""

from flyball.core.health_report import SILENT_S as SILENT_S
