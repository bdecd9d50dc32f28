"""``python -m doorcode.cli``: the same as ``doorcode``."""

from doorcode.cli.app import main

main()
