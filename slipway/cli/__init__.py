"""The operator's command, `slipway`. It drives the `pulumi` command and looks at the engine; it decides nothing about
the site, so plain `pulumi` deploys the same."""
