"""Events: logs of what users did, of which every position is asked what follows. The wing beside samples."""
