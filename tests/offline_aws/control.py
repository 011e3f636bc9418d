"""What a test has decided about the future: what fails, what waits, what tasks do."""

import threading

from errors import Refused

LONGEST_HOLD = 120
DEFAULT_PACE = 0.01


class Control:
    """Decisions, made by `POST /control` and asked for by whatever they are about."""

    def __init__(self):
        self.changed = threading.Condition()
        self.clear()

    def clear(self):
        self.pace = DEFAULT_PACE
        self.failing = {}
        self.failing_rollback = {}
        self.holds = set()
        self.waiting = set()
        self.tasks = []
        self.held_tasks = False
        self.service = None
        self.drift = []
        self.refusals = []
        self.health = "healthy"

    def decide(self, said):
        """Takes decisions; an unknown one is a mistake of the test."""
        with self.changed:
            for key, value in said.items():
                decision = getattr(self, f"on_{key}", None)
                if decision is None:
                    raise Refused("UnknownDecision", f"nothing can be decided about {key!r}")
                decision(value)
            self.changed.notify_all()

    def on_clear(self, _):
        self.clear()

    def on_pace_ms(self, value):
        self.pace = value / 1000

    def on_fail(self, value):
        on = tuple(value.get("on", ("CREATE", "UPDATE")))
        self.failing[value["resource"]] = (on, value.get("reason", "Resource handler returned message: \"No.\""))

    def on_mend(self, resource):
        self.failing.pop(resource, None)
        self.failing_rollback.pop(resource, None)

    def on_fail_rollback(self, value):
        self.failing_rollback[value["resource"]] = value.get("reason", "Resource handler returned message: \"Stuck.\"")

    def on_hold(self, resource):
        self.holds.add(resource)

    def on_release(self, resource):
        self.holds.discard(resource)

    def on_task(self, value):
        self.tasks.append(value)

    def on_release_tasks(self, _):
        self.tasks = [{**task, "hold": False} for task in self.tasks]
        self.held_tasks = False

    def on_service(self, value):
        self.service = value

    def on_drift(self, value):
        self.drift = value

    def on_refuse(self, value):
        self.refusals.append({"times": 1, **value})

    def on_target_health(self, value):
        self.health = value

    def failure(self, logical, word):
        """Why a resource fails now, or nothing."""
        on, reason = self.failing.get(logical, ((), None))
        return reason if word in on else None

    def wait_before(self, logical):
        """Waits while an operation is held before a resource."""
        with self.changed:
            if logical not in self.holds:
                return
            self.waiting.add(logical)
            self.changed.notify_all()
            self.changed.wait_for(lambda: logical not in self.holds, LONGEST_HOLD)
            self.waiting.discard(logical)

    def next_task(self):
        """What the next task that is run does: what was decided first, once; by default it ends well."""
        with self.changed:
            decided = self.tasks.pop(0) if self.tasks else {}
            self.held_tasks |= bool(decided.get("hold"))
            return decided

    def wait_for_tasks(self, stopped):
        """Waits while tasks are held running and this one is not stopped."""
        with self.changed:
            self.changed.wait_for(lambda: not self.held_tasks or stopped.is_set(), LONGEST_HOLD)

    def nudge(self):
        """Has everybody who waits look again."""
        with self.changed:
            self.changed.notify_all()

    def refuse(self, request):
        """Refuses a call of which a test has said so."""
        with self.changed:
            for decided in self.refusals:
                fits = decided["times"] > 0 and decided["operation"] == request.operation
                if fits and decided.get("service", request.service) == request.service:
                    decided["times"] -= 1
                    raise Refused(decided["code"], decided.get("message", "refused"), decided.get("status", 400))

    def state(self):
        """What is decided and what waits, for a test that has to know."""
        return {"waiting": sorted(self.waiting), "held_tasks": self.held_tasks, "failing": sorted(self.failing)}
