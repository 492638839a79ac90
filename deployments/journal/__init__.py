"""What happened: who did what with which deployment, and what its owner is told."""
