"""What all tests share."""

import os

# Matrices in tests are tiny: a second thread costs more in waiting than it computes, ten times more where
# another program has the core. Set before anything imports torch; child processes inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
