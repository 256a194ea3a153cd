"""What all tests share."""

import os

# Matrices in tests are tiny: a second thread costs more in waiting than it computes, ten times more where
# another program has the core. Set before anything imports torch; child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

# A deadline would be a timed test, which a busy machine fails.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
