"""What ``make bench`` runs: the built functions and their peers, measured side by side."""
