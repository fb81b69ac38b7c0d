"""How mature the running of a service is, by what was shown and never by what is claimed."""

from flyball.control.review.maturity.levels import Level as Level
from flyball.control.review.maturity.levels import Need as Need
from flyball.control.review.maturity.score import Maturity as Maturity
from flyball.control.review.maturity.score import maturity as maturity
from flyball.control.review.maturity.tested import Tested as Tested
