"""What an operator does on each platform."""
