"""Asks an Argus gateway's agent something and prints the answer as it grows, whatever happens to the connection.

    pip install websockets
    ARGUS_TOKEN=… python3 ask.py "What is in this folder?"

ARGUS_URL is ws://127.0.0.1:8080/ws unless set. ARGUS_APPROVE=yes lets the agent do what it asks about; otherwise it is
refused.
"""

import asyncio
import json
import os
import sys
import uuid
from urllib.parse import urlencode

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

URL = os.environ.get("ARGUS_URL", "ws://127.0.0.1:8080/ws")
HEADERS = {"Authorization": f"Bearer {os.environ['ARGUS_TOKEN']}"}
DECISION = "accept" if os.environ.get("ARGUS_APPROVE") == "yes" else "decline"


class Question:
    """One question, and how far it came. It outlives every connection."""

    def __init__(self, text):
        self.text = text
        self.key = str(uuid.uuid4())  # the same key again is the same question
        self.name = f"ask-{self.key}"  # who we are when we come back
        self.place = {"after": ""}  # the newest number we heard, and its numbering
        self.opening = False  # a thread was asked for, and its reply is due
        self.thread = None
        self.asked = False
        self.status = None

    async def talk(self, socket):
        """Over one connection, until the turn is over or the connection ends."""

        async def send(frame):
            await socket.send(json.dumps(frame))

        async def go_on():
            if self.thread is None:
                if not self.opening:
                    self.opening = True
                    await send({"id": "thread", "method": "thread/start", "params": {}})
            elif not self.asked:
                params = {"text": self.text, "threadId": self.thread, "idempotencyKey": self.key}
                await send({"id": "ask", "method": "argus/input/enqueue", "params": params})

        about = {"name": "ask_py", "title": "ask.py", "version": "1.0"}
        await send({"id": "hello", "method": "initialize", "params": {"clientInfo": about}})
        async for text in socket:
            frame = json.loads(text)
            method, params = frame.get("method"), frame.get("params") or {}
            if "argusSeq" in frame:
                self.place["after"] = frame["argusSeq"]
            if method == "argus/session":
                # The first number to come back with is the one that is told here.
                if self.place.get("epoch") != params["epoch"]:
                    self.place = {"after": params["seq"], "epoch": params["epoch"]}
                # Known from before, we get the replies that are due; otherwise they are lost.
                self.opening = self.opening and params["returned"]
            elif method == "argus/gap":
                print(f"\n[frames {params['from']} to {params['to']} are gone]", file=sys.stderr)
            elif method and "id" in frame:
                if method.endswith("/requestApproval"):
                    await send({"id": frame["id"], "result": {"decision": DECISION}})
                else:
                    await send({"id": frame["id"], "error": {"code": -32601, "message": "not here"}})
            elif method is None and "error" in frame:
                if frame["error"]["code"] != -32001:
                    sys.exit(f"{frame['id']}: {frame['error']['message']}")
                await asyncio.sleep(0.5)  # too much is waiting: once more in a moment
                self.opening = self.opening and frame["id"] != "thread"
                await go_on()
            elif method is None:
                if frame["id"] == "hello":
                    await send({"method": "initialized"})
                elif frame["id"] == "thread" and self.thread is None:
                    self.thread = frame["result"]["thread"]["id"]
                elif frame["id"] == "ask":
                    self.asked = True
                await go_on()
            elif params.get("threadId") == self.thread:
                if method == "item/agentMessage/delta":
                    print(params["delta"], end="", flush=True)
                elif method == "turn/completed":
                    self.status = params["turn"]["status"]
                    return

    async def ask(self):
        """Connects as often as it takes; the status of the turn."""
        pause = 0.2
        while self.status is None:
            query = urlencode({"session": "default", "client": self.name, **self.place})
            try:
                # Pings tell within 45 seconds that the other side is gone.
                async with connect(
                    f"{URL}?{query}", additional_headers=HEADERS, ping_interval=20, ping_timeout=25, max_size=None
                ) as socket:
                    pause = 0.2
                    await self.talk(socket)
                    await socket.close()
            except ConnectionClosed as closed:
                if closed.rcvd and closed.rcvd.code == 1008:
                    sys.exit(f"refused: {closed.rcvd.reason}")
            except InvalidStatus as refused:
                sys.exit(f"refused: {refused}")
            except OSError:
                pass
            if self.status is None:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5)
        print()
        return self.status


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(Question(sys.argv[1]).ask()) == "completed" else 1)
