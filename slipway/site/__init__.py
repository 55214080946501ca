"""What travels through the program: frozen descriptions of one site, its services and its edge, and of what runs.

Whole and valid: `slipway.settings` makes them of what a user writes. Only the standard library and each other are
imported here, so that every floor above can speak of a site.
"""
