"""From what a user writes to a site: read once, checked as a whole; from then on only `slipway.site` travels."""
