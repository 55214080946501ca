"""What is done on a Docker engine, through its API. Nothing here knows Pulumi; slipway.providers calls it."""
