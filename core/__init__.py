"""What SoloTune knows and does; nothing in here imports Qt."""
