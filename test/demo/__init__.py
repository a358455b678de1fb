"""An interruption before your eyes: main.py is the way through it, scenario.py says what runs where."""
