"""The compiled module, and what everything else needs: parameters, random numbers, checks."""
