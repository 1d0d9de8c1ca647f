"""The only package that imports torch; entered only from core.jobs, inside a job's own process."""
