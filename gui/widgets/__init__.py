"""Parts that pages are made of; they know how to draw, not what a run is."""
