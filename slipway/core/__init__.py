"""Pure logic: texts, sizes, names, hashes. Imports neither pulumi nor docker."""
