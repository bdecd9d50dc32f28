"""A deployed stack as the set-up commands see it: its outputs, resources, functions and settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from doorcode.aws.secrets import REREAD_SECONDS
from doorcode.errors import SettingsError
from doorcode.pairing.agents import AgentKind
from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import api_url_setting, parse_settings
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.parameter_store import ParameterStore
from doorcode_cli.target import Target, unreachable

# Which function is told where the platforms' APIs are.
CALLS_PLATFORMS = "CourierFunction"
# Which function takes each platform's webhooks. They are deployed with the same settings.
EDGES = {platform: f"{platform.title()}Function" for platform in Platform}
ANY_EDGE = next(iter(EDGES.values()))
API_URLS = {platform: api_url_setting(platform) for platform in Platform}
WEBHOOK_OUTPUTS = {platform: f"{platform.title()}WebhookUrl" for platform in Platform}
LAMBDA = "AWS::Lambda::Function"
# A function that has just read its secrets reads them no sooner than this again.
SETTLING_SECONDS = REREAD_SECONDS + 1
# Where the sandbox's stand-ins are.
NEAR = "127.0.0.1"


class Deployment:
    """The stack that a target names. Nothing is asked before it is needed, and nothing twice."""

    def __init__(self, target: Target) -> None:
        """Look at the stack of ``target``."""
        self.target = target
        self._clients: dict[str, Any] = {}
        self._environments: dict[str, Mapping[str, str]] = {}

    def client(self, service: str) -> Any:
        """Return the client of a service, one for all calls."""
        if service not in self._clients:
            self._clients[service] = self.target.client(service)
        return self._clients[service]

    @cached_property
    def parameter_store(self) -> ParameterStore:
        """The stack's secrets."""
        return ParameterStore(self.client("ssm"), self.target.prefix)

    @cached_property
    def described(self) -> dict[str, Any]:
        """What CloudFormation says of the stack. Raises CommandError if there is none, or it cannot be asked."""
        try:
            answer: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=self.target.stack)
        except (BotoCoreError, ClientError) as error:
            raise unreachable(error, f"the stack {self.target.stack!r}") from None
        return answer

    @property
    def stack(self) -> dict[str, Any]:
        """The stack itself."""
        found: dict[str, Any] = self.described["Stacks"][0]
        return found

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.stack.get("Outputs", [])}

    @cached_property
    def parameters(self) -> dict[str, str]:
        """What the stack was deployed with, by the names of the template's parameters."""
        return {one["ParameterKey"]: one["ParameterValue"] for one in self.stack.get("Parameters", [])}

    def output(self, name: str) -> str:
        """Return one output. Raises CommandError for a stack that has none of that name."""
        value = self.outputs.get(name)
        if not value:
            raise CommandError(
                f"The stack {self.target.stack!r} has no output {name}: it is none of Doorcode's, or not deployed yet.",
                Exit.UNREACHABLE,
            )
        return value

    def webhook_url(self, platform: Platform) -> str:
        """Return where that platform's webhooks are taken: for the sandbox, what stands before its emulator."""
        near = self.target.public_url
        return f"{near}/{platform}" if near else self.output(WEBHOOK_OUTPUTS[platform])

    @cached_property
    def resources(self) -> dict[str, tuple[str, str]]:
        """Type and physical name of each resource, by its name in the template."""
        try:
            pages = self.client("cloudformation").get_paginator("list_stack_resources")
            return {
                resource["LogicalResourceId"]: (resource["ResourceType"], resource.get("PhysicalResourceId", ""))
                for page in pages.paginate(StackName=self.target.stack)
                for resource in page["StackResourceSummaries"]
            }
        except (BotoCoreError, ClientError) as error:
            raise unreachable(error, f"the stack {self.target.stack!r}") from None

    @property
    def functions(self) -> dict[str, str]:
        """The functions' real names, by their names in the template."""
        return {name: physical for name, (kind, physical) in self.resources.items() if kind == LAMBDA and physical}

    def physical(self, name: str) -> str:
        """Return a resource's real name. Raises CommandError if the stack has no such resource."""
        _, found = self.resources.get(name, ("", ""))
        if not found:
            raise CommandError(f"The stack {self.target.stack!r} has no {name}. Deploy it again with: make deploy")
        return found

    def environment(self, function: str) -> Mapping[str, str]:
        """Return what a function, named as in the template, has in its environment."""
        if function not in self._environments:
            try:
                answer = self.client("lambda").get_function_configuration(FunctionName=self.physical(function))
            except (BotoCoreError, ClientError) as error:
                raise unreachable(error, f"the function {self.physical(function)}") from None
            self._environments[function] = answer.get("Environment", {}).get("Variables", {})
        return self._environments[function]

    def api_url(self, platform: Platform) -> str:
        """Return where the platform's API is, for the stack; with --local, the environment may say otherwise."""
        name = API_URLS[platform]
        values = {name: self.environment(CALLS_PLATFORMS).get(name, "")}
        if self.target.local and os.environ.get(name):
            values[name] = os.environ[name]
        try:
            settings = parse_settings(values)
        except SettingsError as error:
            raise CommandError(str(error)) from None
        return settings.api_url(platform)

    def has_bot(self, platform: Platform) -> bool:
        """Tell whether a bot that is there already stands behind the platform's door."""
        values = {"AGENT": self.environment(EDGES[platform]).get("AGENT", "")}
        try:
            return parse_settings(values).agent(platform) is AgentKind.BOT
        except SettingsError as error:
            raise CommandError(str(error)) from None

    def plays(self, platform: Platform) -> bool:
        """Tell whether the stack is the sandbox's and works with its stand-in for that platform."""
        if not self.target.local:
            return False
        return urlsplit(self.environment(CALLS_PLATFORMS).get(API_URLS[platform], "")).hostname == NEAR

    def secrets_max_age(self) -> int:
        """Return for how many seconds a function may go on using a secret before it reads it again."""
        try:
            return parse_settings(
                {"SECRETS_MAX_AGE_SECONDS": self.environment(ANY_EDGE).get("SECRETS_MAX_AGE_SECONDS", "")}
            ).secrets_max_age
        except SettingsError as error:
            raise CommandError(str(error)) from None
