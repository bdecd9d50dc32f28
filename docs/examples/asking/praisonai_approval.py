"""PraisonAI: an approval backend, so that dangerous tools of an agent wait for the owner.

agent = Agent(instructions="…", tools=["execute_command"], approval=OwnerApproval())
"""

import asyncio
import os

from praisonaiagents.approval import ApprovalDecision

from doorcode.asking.client import AskClient, AskError


class OwnerApproval:
    """Asks the owner about each call, with exactly its arguments; an approval is good for that one call."""

    def __init__(self, wait=600):
        self.owner = AskClient(os.environ["DOORCODE_URL"], os.environ["DOORCODE_TOKEN"])
        self.wait = wait

    async def request_approval(self, request):
        return await asyncio.to_thread(self.request_approval_sync, request)

    def request_approval_sync(self, request):
        try:
            title = f"Run {request.tool_name} ({request.risk_level} risk)?"
            question = self.owner.wait(self.owner.ask(title, arguments=request.arguments), self.wait)
            if question.state != "approved":
                return ApprovalDecision(
                    approved=False, reason=question.reason or f"{question.state}: do not do it another way"
                )
            self.owner.use(question)
        except AskError as error:
            return ApprovalDecision(approved=False, reason=str(error))
        return ApprovalDecision(approved=True, reason=question.reason, approver=question.record["decided_by"])
