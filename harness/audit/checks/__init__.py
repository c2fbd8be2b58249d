"""The checks, by what they are about. Importing the package registers all of them."""

from . import restarts as restarts
from . import survives as survives
from . import errors as errors
from . import leaves as leaves
from . import ends as ends
from . import listens as listens
