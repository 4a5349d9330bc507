"""Plans: lengths, levels, boundary rows and windows, computed before an array is read."""
