"""What ``saring serve`` tells the person who started it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from saring.config_schema import Config
from saring.endpoint import Endpoint
from saring.readiness import Ready


def banner(config: Config, dns: Sequence[Endpoint], setup: Mapping[str, object], took_s: float, ready: Ready) -> str:
    """Where DNS and the API are, how to become the first administrator, what to try, how to stop."""
    lines = ["", f"Saring is running ({took_s:.1f} s).", ""]
    lines.append(f"  DNS    {', '.join(str(address) for address in dns)}  (UDP and TCP){_late(ready.dns)}")
    if config.api.enabled:
        lines.append(f"  API    http://{config.api.listen}/api/v1{_late(ready.api)}")
    lines.append(f"  State  {config.state_dir}")
    lines += _setup(config, setup)
    lines += _try(dns[0], config, setup)
    lines += ["", "Ctrl-C stops it.", ""]
    return "\n".join(lines)


def _late(ready: bool) -> str:
    return "" if ready else "  [not answering yet; `saring doctor` tells more]"


def _setup(config: Config, setup: Mapping[str, object]) -> list[str]:
    code = setup.get("setup_code")
    if not code or not config.api.enabled:
        return []
    return [
        "",
        f"  The first administrator's one-time code: {code}",
        "  It becomes a token by",
        "",
        f"    curl -X POST http://{config.api.listen}/api/v1/setup \\",
        "      -H 'Content-Type: application/json' \\",
        f"""      -d '{{"code": "{code}", "login": "admin", "name": "Your name"}}'""",
    ]


def _try(dns: Endpoint, config: Config, setup: Mapping[str, object]) -> list[str]:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(dns.host, dns.host)
    dig = f"dig @{host}" + ("" if dns.port == 53 else f" -p {dns.port}")
    blocked = setup.get("blocked_example")
    lines = ["", "  Try", "", f"    {dig} whoami.saring TXT +short", f"    {dig} example.org"]
    if blocked:
        lines += [f"    {dig} {blocked}", f"    saring check {blocked} --client {host}"]
    lines.append("    saring status")
    return lines
