"""Written by generate.sh."""
