"""From labelled text to a folder that Triton and the embedded backend serve."""
