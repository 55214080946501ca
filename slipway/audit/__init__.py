"""The audit of a running stack: `python -m slipway.audit`."""
