"""Made-up Codex logins: unsigned tokens and login files."""

from __future__ import annotations

import json
from pathlib import Path

from tests.providers.web_tokens import jwt

EMAIL = "ada@demo.test"


def id_token(email: str = EMAIL, plan: str = "plus") -> str:
    return jwt(email=email, **{"https://api.openai.com/auth": {"chatgpt_plan_type": plan}})


def tokens(access: str = "demo-token", **more: object) -> dict[str, object]:
    return {
        "access_token": access,
        "refresh_token": "demo-refresh",
        "id_token": id_token(),
        "account_id": "acc-1",
    } | more


def write_login(home: Path, content: object = None, folder: str = ".codex") -> Path:
    """Write `auth.json`; text is written as it is."""
    path = home / folder / "auth.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    value = {"tokens": tokens()} if content is None else content
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path
