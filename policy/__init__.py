"""The CrossGuard pack of every Slipway stack."""
