"""The vendor simulator in a process of its own, so that it does not disturb what is measured.

`python -m benchmarks.vendors SECONDS [everybody]` prints the environment that leads to it as one line of JSON.
Then every line on standard input is answered with the number of requests so far. It ends with its input.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from tests.providers.samples import SAMPLES, Sample

from quotaline_providers.testing import Simulator
from quotaline_providers.testing.simulator.routes import Reply, Request, Vendor

FAR = "2099-01-01T00:00:00Z"


def samples_by_provider() -> dict[str, Sample]:
    """Of every provider that has a simulated vendor the first way to read it over the network."""
    found: dict[str, Sample] = {}
    for sample in SAMPLES:
        found.setdefault(sample.provider, sample)
    return found


def lay_routes(simulator: Simulator, delay: float) -> None:
    """Every vendor's answers, each after this time (seconds)."""

    def answer(host: str, method: str, path: str, **fields: Any) -> None:
        simulator.vendor(host).on(method, path).delays(delay).answers(**fields)

    session = {"used_percent": 21, "limit_window_seconds": 18000, "reset_at": 4_000_000_000}
    answer("chatgpt.com", "GET", "/backend-api/wham/usage", plan_type="plus", rate_limit={"primary_window": session})
    answer("chatgpt.com", "GET", "/backend-api/wham/rate-limit-reset-credits", credits=[])
    answer("api.anthropic.com", "GET", "/api/oauth/usage", five_hour={"utilization": 33, "resets_at": FAR})
    metered = {"entitlement": 200, "remaining": 120, "percent_remaining": 60}
    answer(
        "api.github.com",
        "GET",
        "/copilot_internal/user",
        copilot_plan="individual",
        quota_reset_date="2099-01-01",
        quota_snapshots={"premium_interactions": metered, "chat": metered},
    )
    google = "cloudcode-pa.googleapis.com"
    answer(google, "POST", "/v1internal:loadCodeAssist", cloudaicompanionProject="demo")
    buckets = [{"modelId": f"gemini-8-{kind}", "remainingFraction": 0.4, "resetTime": FAR} for kind in ("pro", "flash")]
    answer(google, "POST", "/v1internal:retrieveUserQuota", buckets=buckets)
    answer("openrouter.ai", "GET", "/api/v1/credits", data={"total_credits": 40, "total_usage": 10})
    answer("openrouter.ai", "GET", "/api/v1/key", data={"limit": 20, "limit_remaining": 15, "usage": 5})
    answer("www.codebuff.com", "POST", "/api/v1/usage", usage=30, quota=120, remainingBalance=90)
    answer("www.codebuff.com", "GET", "/api/user/subscription", hasSubscription=False)
    for name in ("demo-one", "demo-two"):
        answer(f"{name}.example", "GET", "/usage", used=12)


class OpenVendor(Vendor):
    """A host that answers what its samples say, and anything else (such as for its status page) with 404, in time."""

    def __init__(self, name: str, delay: float, samples: Sequence[Sample] = ()) -> None:
        super().__init__(name, name)
        self._delay = delay
        self._exchanges = [exchange for sample in samples for exchange in sample.exchanges]

    def answer(self, request: Request) -> tuple[Reply, str | None]:
        if any((route.method, route.path) == (request.method, request.path) for route in self.routes):
            return super().answer(request)
        self.requests.append(request)
        host = self.name.removeprefix("https://")
        fitting = (one for one in self._exchanges if one.fits(request.method, host, request.path))
        exchange = next(fitting, None)
        body, status = (b"{}", 404) if exchange is None else (exchange.bytes, 200)
        return Reply(status, (("Content-Type", "application/json"),), body, self._delay), None


class AllHosts(dict[str, Vendor]):
    """Every host there may be."""

    def __init__(self, make: Callable[[str], Vendor]) -> None:
        super().__init__()
        self._make = make

    def __contains__(self, name: object) -> bool:
        return self.get(str(name)) is not None

    def __getitem__(self, name: str) -> Vendor:
        return self.get(name)

    def get(self, name: str, default: object = None) -> Vendor:
        if not super().__contains__(name):
            self[name] = self._make(name)
        return super().__getitem__(name)


def main() -> None:
    delay, everybody = float(sys.argv[1]), sys.argv[2:] == ["everybody"]
    samples = tuple(samples_by_provider().values()) if everybody else ()
    with Simulator() as simulator:
        simulator._vendors = AllHosts(lambda name: OpenVendor(name, delay, samples))
        if not everybody:
            lay_routes(simulator, delay)
        print(json.dumps(simulator.environ()), flush=True)
        for _ in sys.stdin:
            counts = {name: vendor.count for name, vendor in simulator._vendors.items()}
            print(json.dumps({"counts": counts, "problems": simulator.problems}), flush=True)


class Vendors:
    """The simulator's process, from outside."""

    def __init__(self, delay: float, *, everybody: bool = False) -> None:
        command = [sys.executable, "-m", "benchmarks.vendors", str(delay), *(["everybody"] if everybody else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.environ: dict[str, str] = self._line()

    def counts(self) -> dict[str, int]:
        """Requests so far, by host."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._line()
        if answer["problems"]:
            raise RuntimeError("\n".join(answer["problems"][:5]))
        counts: dict[str, int] = answer["counts"]
        return counts

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=20)


if __name__ == "__main__":
    main()
