"""What tells of runs while nobody looks: the list of runs, a notice, figures for Prometheus."""
