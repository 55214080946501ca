"""What pulumi-docker cannot do, as small dynamic resources on docker-py.

State holds the provider classes by module and name ("slipway.providers.files", "FilesVolumeProvider"), so editing them
changes no state; renaming or moving one breaks every stack that has such a resource.
"""
