"""Plans: lengths, levels, boundary rows and windows, computed before arrays are read."""
