"""What a release changes. The benchmark writes this file anew for each."""

VERSION = "v0"
FAULT = ""
