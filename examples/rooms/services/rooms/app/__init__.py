"""Rooms to rent. From the inside out, each layer knowing only those before it: `domain`; `filters` and `results`;
`use_cases`; and around them the `repository` over Postgres and `web` over HTTP."""
