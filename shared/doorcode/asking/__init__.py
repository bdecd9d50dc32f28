"""Questions to the owner: what is asked before something is done, and how it is decided. No I/O, no clock, no environment."""
