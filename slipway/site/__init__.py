"""What travels through the program: frozen descriptions, with the standard library only."""
