"""A `quotaline` that says what a test wants: for what the real server of this version never sends."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_SCRIPT = """
import json, sys

def read():
    length = 0
    while line := sys.stdin.buffer.readline().strip():
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return json.loads(sys.stdin.buffer.read(length)) if length else None

def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    sys.stdout.buffer.flush()

while message := read():
    if message.get("method") == "initialize":
        send({"id": message["id"], "result": {"capabilities": {}, "serverInfo": {"name": "quotaline", "version": "9"}}})
    elif message.get("method") == "initialized":
        for params in json.loads(PUSHES):
            send({"method": "quotaline/didChangeUsage", "params": params})
        if RESTART_DUE:
            send({"method": "quotaline/restartDue", "params": {"message": RESTART_DUE}})
    elif message.get("method") == "exit":
        break
    elif "id" in message:
        send({"id": message["id"], "error": {"code": -32601, "message": "There is no such method."}})
"""


def usage(text: str, *providers: dict[str, Any], version: object = 1, **more: object) -> dict[str, Any]:
    """The parameters of `quotaline/didChangeUsage`."""
    hover = {"kind": "markdown", "value": f"### {text}"}
    line = {"text": text, "severity": "ok", "hover": hover, **more}
    return {"version": version, "statusLine": line, "providers": list(providers)}


def provider(id: str, text: str, **more: object) -> dict[str, Any]:
    """One `ProviderState` of the protocol."""
    hover = {"kind": "markdown", "value": f"### {text}"}
    return {"id": id, "name": id.title(), "text": text, "severity": "ok", "hover": hover, "account": None, **more}


def install(programs: Path, *pushes: dict[str, Any], restart_due: str = "") -> None:
    """Put it on the PATH. It pushes these parameters once it is initialized, and may say why a restart is due."""
    script = programs / "stand_in.py"
    script.write_text(f"PUSHES = {json.dumps(pushes)!r}\nRESTART_DUE = {restart_due!r}\n{_SCRIPT}", encoding="utf-8")
    path = programs / "quotaline"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n', encoding="utf-8")
    path.chmod(0o755)
