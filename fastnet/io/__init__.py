"""Networks in files and pickles."""
