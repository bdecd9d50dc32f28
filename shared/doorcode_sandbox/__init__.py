"""The whole of Doorcode on one machine, with nothing of it but this machine."""
