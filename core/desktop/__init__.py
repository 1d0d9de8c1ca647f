"""SoloTune among the other programs of the computer: the shortcut that starts it, and how it goes again."""
