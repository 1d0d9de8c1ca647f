"""Data files in, conversations out, with a reason for every row that is not used."""
