"""The files for each target, by name. Each is text that its own tools accept."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dlq.deployment.deployment import HEALTH_MAX_AGE, Deployment

PORT_VARIABLE = "LIGHTWEIGHT_QUEUE_PROMETHEUS_START_PORT"


class EmittedFile(NamedTuple):
    name: str
    content: str


def systemd(deployment: Deployment) -> Iterator[EmittedFile]:
    """Yield a unit for each machine: they are on different hosts, and have different commands."""
    for machine in deployment.machines:
        comments = "".join(f"# {line}\n" for line in deployment.comments(machine))
        environment = "".join(
            f"Environment={_unit_word(f'{name}={value}')}\n"
            for name, value in deployment.environment.items()
        )
        stop = "infinity" if deployment.stop.seconds is None else deployment.stop.for_others
        yield EmittedFile(
            f"dlq-machine-{machine.number}.service",
            f"""\
{comments}# Copy it to /etc/systemd/system/dlq.service on that machine, and set User.

[Unit]
Description=Task queue workers (machine {machine.number} of {deployment.of})
After=network-online.target
Wants=network-online.target

[Service]
# User=
WorkingDirectory={deployment.directory.replace("%", "%%")}
{environment}# Secrets, for instance LIGHTWEIGHT_QUEUE_REDIS_URL=... (mode 0600).
EnvironmentFile=-/etc/dlq/environment
ExecStart={" ".join(map(_unit_word, deployment.run_words(machine)))}
# Loads new code; a configuration with mistakes is refused, and the old one goes on.
ExecReload=/bin/kill -HUP $MAINPID

# Ready when the workers are started, and killed when its loop hangs.
Type=notify
NotifyAccess=main
WatchdogSec={HEALTH_MAX_AGE}

# {deployment.stop_comment()}
KillMode=mixed
TimeoutStopSec={stop}

# 78: the configuration was refused; 3: it is another pool. Both would be so again.
Restart=always
RestartSec=2
RestartPreventExitStatus=78 3

# MemoryMax=
# CPUQuota=

[Install]
WantedBy=multi-user.target
""",
        )


def compose(deployment: Deployment) -> Iterator[EmittedFile]:
    """Yield one file with a service for each machine."""
    lines = [
        "# docker compose up --detach",
        "# DLQ_IMAGE: an image with the project, whose working directory is that of manage.py.",
        "services:",
    ]
    for machine in deployment.machines:
        lines += [f"  # {line}" for line in deployment.comments(machine)]
        lines += [
            f"  dlq-{machine.number}:",
            "    image: ${DLQ_IMAGE:?set DLQ_IMAGE to an image with the project}",
            f"    command: {_compose_list(deployment.run_words(machine, health=True))}",
            "    environment:",
            *(f"      {name}: {_yaml(value)}" for name, value in deployment.environment.items()),
            "    # Secrets, for instance LIGHTWEIGHT_QUEUE_REDIS_URL=...",
            "    # env_file: [dlq.env]",
            "    restart: unless-stopped",
            f"    # {deployment.stop_comment()}",
            f"    stop_grace_period: {deployment.stop.for_others}s",
            "    healthcheck:",
            f"      test: {_compose_list(['CMD', *deployment.health_words()])}",
            "      interval: 10s",
            "      timeout: 5s",
            "      retries: 3",
            "      start_period: 60s",
            "    # deploy: {resources: {limits: {cpus: '1', memory: 1G}}}",
        ]
    yield EmittedFile("compose.yaml", "\n".join(lines) + "\n")


def kubernetes(deployment: Deployment) -> Iterator[EmittedFile]:
    """Yield one file with a Deployment for each machine. Recreate: never two of one machine."""
    lines = [
        "# kubectl apply --filename dlq.yaml",
        "# DLQ_IMAGE: an image with the project, whose working directory is that of manage.py.",
    ]
    for machine in deployment.machines:
        name = f"dlq-{machine.number}"
        lines += ["---", *(f"# {line}" for line in deployment.comments(machine))]
        lines += [
            "apiVersion: apps/v1",
            "kind: Deployment",
            "metadata:",
            f"  name: {name}",
            f'  labels: {{app: dlq, machine: "{machine.number}", pool: "{deployment.pool_id}"}}',
            "spec:",
            "  replicas: 1",
            "  strategy: {type: Recreate}",
            f'  selector: {{matchLabels: {{app: dlq, machine: "{machine.number}"}}}}',
            "  template:",
            "    metadata:",
            f'      labels: {{app: dlq, machine: "{machine.number}"}}',
            "    spec:",
            f"      # {deployment.stop_comment()}",
            f"      terminationGracePeriodSeconds: {deployment.stop.for_others}",
            "      containers:",
            "        - name: dlq",
            "          image: DLQ_IMAGE",
            f"          command: {_kubernetes_list(deployment.run_words(machine, health=True))}",
            "          env:",
        ]
        for variable, value in deployment.environment.items():
            lines.append(f"            - {{name: {variable}, value: {_yaml(_dollars(value))}}}")
        lines += [
            "          # Secrets, for instance LIGHTWEIGHT_QUEUE_REDIS_URL.",
            "          # envFrom: [{secretRef: {name: dlq}}]",
            "          livenessProbe:",
            f"            exec: {{command: {_kubernetes_list(deployment.health_words())}}}",
            "            initialDelaySeconds: 60",
            "            periodSeconds: 10",
            "            timeoutSeconds: 5",
            "          # resources: {requests: {cpu: 500m, memory: 512Mi}, limits: {memory: 1Gi}}",
        ]
    yield EmittedFile("dlq.yaml", "\n".join(lines) + "\n")


def procfile(deployment: Deployment) -> Iterator[EmittedFile]:
    """Yield one file that starts all machines on one host, each with ports of its own."""
    lines = []
    for machine in deployment.machines:
        lines += [f"# {line}" for line in deployment.comments(machine)]
        words = ["env"]
        words += [f"{name}={value}" for name, value in deployment.environment.items()]
        if machine.metrics_port is not None:
            words.append(f"{PORT_VARIABLE}={machine.metrics_port}")
        command = shlex.join([*words, *deployment.run_words(machine)])
        lines.append(f"machine{machine.number}: exec {command}")
    lines.append(f"# {deployment.stop_comment()} Give a stop {deployment.stop.for_others} s.")
    yield EmittedFile("Procfile", "\n".join(lines) + "\n")


TARGETS: Mapping[str, Callable[[Deployment], Iterator[EmittedFile]]] = {
    "systemd": systemd,
    "compose": compose,
    "kubernetes": kubernetes,
    "procfile": procfile,
}


def _unit_word(text: str) -> str:
    """Quote a word of a unit (systemd.syntax, systemd.service): % and $ are special in quotes."""
    text = text.replace("%", "%%").replace("$", "$$")
    if text and all(letter.isalnum() or letter in "/._-=:,+@%$" for letter in text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _yaml(text: str) -> str:
    """A string as JSON writes it, which YAML reads as the same."""
    return json.dumps(text, ensure_ascii=False)


def _compose_list(words: Sequence[str]) -> str:
    return f"[{', '.join(_yaml(word.replace('$', '$$')) for word in words)}]"


def _kubernetes_list(words: Sequence[str]) -> str:
    return f"[{', '.join(_yaml(_dollars(word)) for word in words)}]"


def _dollars(text: str) -> str:
    """Kubernetes expands $(NAME), and takes $$ for a dollar."""
    return text.replace("$", "$$")
