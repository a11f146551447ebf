#!/usr/bin/env python3
"""A second agent: as much of an app-server as the gateway needs, to prove that Codex is not the only one."""
import json
import sys
import uuid

greeting = sys.argv[sys.argv.index("--greeting") + 1]


def say(**frame):
    print(json.dumps(frame), flush=True)


def notify(name, **params):
    say(method=name, params=params)


for line in sys.stdin:
    asked = json.loads(line)
    method, params = asked.get("method"), asked.get("params") or {}
    if "id" not in asked or method is None:
        continue
    if method == "initialize":
        say(id=asked["id"], result={"userAgent": "tiny/1", "platformFamily": "unix", "platformOs": "linux"})
    elif method in ("thread/start", "thread/resume"):
        thread = {"id": params.get("threadId") or str(uuid.uuid4()), "turns": []}
        say(id=asked["id"], result={"thread": thread, "model": "tiny", "modelProvider": "none"})
    elif method == "turn/start":
        thread, turn = params["threadId"], {"id": str(uuid.uuid4()), "status": "inProgress", "items": []}
        say(id=asked["id"], result={"turn": turn})
        notify("turn/started", threadId=thread, turn=turn)
        item = {"type": "agentMessage", "id": str(uuid.uuid4()), "text": f"{greeting} from a tiny agent"}
        notify("item/agentMessage/delta", threadId=thread, turnId=turn["id"], itemId=item["id"], delta=item["text"])
        notify("item/completed", threadId=thread, turnId=turn["id"], item=item)
        notify("turn/completed", threadId=thread, turn={**turn, "status": "completed", "items": [item]})
    else:
        say(id=asked["id"], error={"code": -32600, "message": f"unknown method {method}"})
