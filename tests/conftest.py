"""Fixtures that more than one folder of tests uses; and that Hypothesis looks at the same cases each time.

``HYPOTHESIS_PROFILE=exploring`` has it look for new ones; what it finds becomes an example or a file of the corpus.
"""

import os

from hypothesis import settings

from tests.support.fixtures_world import world as world

settings.register_profile("same cases each time", derandomize=True, database=None)
settings.register_profile("exploring", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same cases each time"))
