"""Files that SoloTune ships: models, tiers, samples, icons, styles, translations."""
