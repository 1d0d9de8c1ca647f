"""Everything heavy runs as a Job in a process of its own, through one mechanism."""
