"""Pure values and rules that everything else stands on. Imports nothing of ours, does no I/O."""
