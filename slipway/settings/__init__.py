"""Settings: read once, checked as a whole, and from then on only the frozen dataclasses of `site` travel."""
