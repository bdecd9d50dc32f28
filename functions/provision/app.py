"""Creates the secrets that are missing, when CloudFormation deploys the stack."""

from doorcode.wiring.provision import provision_handler

handler = provision_handler()
