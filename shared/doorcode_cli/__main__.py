"""``python -m doorcode_cli``: the same as ``doorcode``."""

from doorcode_cli.app import main

main()
