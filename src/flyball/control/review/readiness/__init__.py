"""Is a service ready for production? Each item of the checklist from facts, none of them assumed."""

from flyball.control.review.readiness.checklist import ready as ready
from flyball.control.review.readiness.item import Checked as Checked
from flyball.control.review.readiness.item import Item as Item
from flyball.control.review.readiness.item import Looked as Looked
from flyball.control.review.readiness.item import Readiness as Readiness
