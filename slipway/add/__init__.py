"""Looks at a Flask folder and says how it would be declared. Reads files and never imports or runs the app; imports
neither pulumi nor docker."""
