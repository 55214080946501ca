"""The offline kit: a Python language host and the `docker` and `random` resource plugins, for machines that can reach
package registries only. Each part is a program of its own (`python -m slipway_offline.<part>`) that the pulumi CLI
starts; nothing in here is imported by a deployment program."""
