"""Set-up and start of SoloTune for run.py, using the standard library only."""
