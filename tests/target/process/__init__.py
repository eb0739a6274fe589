"""The target as a process: signals, pipes, exit codes."""
