"""Programs that show what liftwave does, and what they share."""
