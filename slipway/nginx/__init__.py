"""The edge's configuration, as nginx's text, and what reads it back from a running edge.

`main` is nginx.conf: a change makes the edge's container anew. `routes` composes all that takes effect by a reload, of
the other modules here, each of which owns one subject. `serving` and `statics` read in the files that are in force, so
whoever changes what these write changes their expressions too. Imports neither Pulumi nor Docker.
"""
