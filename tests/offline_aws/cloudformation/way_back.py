"""The way back from an execution that has failed: what was changed as it was before, what was made deleted."""

import copy
import threading
from dataclasses import dataclass, field

from cloudformation.operations import Delete, Operation
from cloudformation.resources import kind_of


class Broken(Exception):
    """An operation has failed at these resources."""

    def __init__(self, logicals, word):
        super().__init__(", ".join(logicals))
        self.logicals, self.word = logicals, word


@dataclass
class Done:
    """What an operation has done, for the way back."""

    made: list = field(default_factory=list)
    changed: list = field(default_factory=list)
    replaced: list = field(default_factory=list)


class WayBack(Operation):
    """An operation that can be taken back: `plan` says how, `done` has what there is to take back."""

    def fail(self, broken):
        """Takes back what was done, if that is wanted."""
        why = f"The following resource(s) failed to {broken.word}: [{broken}]. "
        if broken.word == "alarm":
            why = f"Rollback triggered because of alarm(s) in ALARM state: [{broken}]. "
        if self.plan.on_failure == "DO_NOTHING":
            self.tell(f"{self.verb}_FAILED", why)
        elif not self.creates:
            self.roll_back(why)
        elif self.plan.on_failure == "DELETE":
            Delete(self.world, self.stack, self.token).go(why + "Delete requested by user.")
        else:
            self.tell("ROLLBACK_IN_PROGRESS", why + "Rollback requested by user.")
            stuck = self.remove_made()
            if stuck:
                self.tell("ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{', '.join(stuck)}]. ")
            else:
                self.tell("ROLLBACK_COMPLETE")

    def remove_made(self):
        """Deletes what this operation has made; what is to be retained only where the call has not said otherwise."""
        made = [copy.copy(one) for one in self.done.made]
        with self.world.lock:
            self.stack.resources |= {one.logical: one for one in made}
        for one in made:
            if self.plan.delete_new or one.definition.get("DeletionPolicy") in ("RetainExceptOnCreate", "Snapshot"):
                one.definition = {**one.definition, "DeletionPolicy": "Delete"}
            if reason := self.control.failing_rollback.get(one.logical):
                self.control.failing[one.logical] = (("DELETE",), reason)
        return self.remove_all(made)

    def roll_back(self, why):
        self.tell("UPDATE_ROLLBACK_IN_PROGRESS", why)
        self.continue_roll_back()

    def resume(self, token, skip):
        """Goes on with a way back that was stuck."""
        self.token = token
        self.tell("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        threading.Thread(target=self.continue_roll_back, args=(skip,), daemon=True).start()

    def continue_roll_back(self, skip=()):
        """Gives changed resources their former properties, then removes those that are new."""
        while self.done.changed:
            former, resource = self.done.changed[-1]
            self.event(resource, "UPDATE_IN_PROGRESS")
            self.pause()
            reason = self.control.failing_rollback.get(resource.logical)
            if reason and resource.logical not in skip:
                self.event(resource, "UPDATE_FAILED", reason)
                why = f"The following resource(s) failed to update: [{resource.logical}]. "
                self.tell("UPDATE_ROLLBACK_FAILED", why)
                self.stack.unfinished = self
                return
            if resource.logical not in skip:
                kind_of(resource.kind).update(self.place, resource, former.properties)
            with self.world.lock:
                resource.definition, resource.properties = former.definition, former.properties
            self.event(resource, "UPDATE_COMPLETE")
            self.done.changed.pop()
        for old, _ in self.done.replaced:
            self.event(old, "UPDATE_COMPLETE")
            with self.world.lock:
                self.stack.resources[old.logical] = old
        self.tell("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self.remove_made()
        with self.world.lock:
            for one in self.done.made:
                self.stack.resources.pop(one.logical, None)
        self.clean_up([new for _, new in self.done.replaced if new.physical], None)
        self.tell("UPDATE_ROLLBACK_COMPLETE")

    def clean_up(self, resources, key):
        """Deletes the former halves of replacements, or the new ones when they are taken back."""
        for one in resources:
            kept = one.definition.get(key, "Delete") if key else "Delete"
            spare = copy.copy(one)
            spare.definition = {**one.definition, "DeletionPolicy": kept}
            self.remove(spare)
