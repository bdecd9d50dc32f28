"""Taking up what changes of the agent, which may stand elsewhere."""

import io
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from doorcode_cli.checkout import Checkout
from doorcode_sandbox.reload import Reload


def test_a_file_elsewhere_stands_in_the_agent_s_place(tmp_path: Path) -> None:
    """It is deployed as my_agent.py beside the function's own module, and noticed when it changes; nothing else is."""
    for name in ("functions/agent/app.py", "functions/agent/my_agent.py", "functions/slack/app.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it comes")
    mine = tmp_path / "elsewhere.py"
    mine.write_text("one")
    updated: list[dict[str, Any]] = []
    client = SimpleNamespace(
        describe_stack_resource=lambda **asked: {
            "StackResourceDetail": {"PhysicalResourceId": asked["LogicalResourceId"]}
        },
        update_function_code=lambda **given: updated.append(given),
    )
    reload = Reload(Checkout(tmp_path), lambda _: client, "doorcode", {}, mine)
    assert reload.agent_changed() == ()
    mine.write_text("two")
    (tmp_path / "functions/slack/app.py").write_text("other")
    assert reload.agent_changed() == (str(mine),)
    assert str(mine) in reload.changed()
    assert reload.apply([str(mine)]) == ["functions/agent"]
    (given,) = updated
    with zipfile.ZipFile(io.BytesIO(given["ZipFile"])) as code:
        assert code.read("my_agent.py") == b"two"
        assert code.read("app.py") == b"as it comes"
    assert given["FunctionName"] == "AgentFunction"
