"""Rooms to rent. From the inside out, each layer knows only those before it: `domain`, then `filters` and `results`, then
`use_cases`, and around them the `repository` over Postgres and the `web` over HTTP."""
