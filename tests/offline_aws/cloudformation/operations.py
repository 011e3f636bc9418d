"""What every operation on a stack is: a thread of its own that tells what it does; and the deletion of a stack."""

import threading
import time

from cloudformation.kind import Failed, Place
from cloudformation.resources import kind_of
from cloudformation.templates import levels, references
from wire import now


class Operation(threading.Thread):
    """Whatever an operation does to a stack."""

    def __init__(self, world, stack, token):
        super().__init__(daemon=True)
        self.world, self.stack, self.token = world, stack, token
        self.control = world.control
        self.place = Place(world, world.region(stack.region), stack)

    def tell(self, status, reason=None):
        with self.world.lock:
            self.stack.tell(status, reason, self.token)

    def event(self, resource, status, reason=None):
        with self.world.lock:
            resource.status, resource.reason, resource.updated = status, reason, now()
            self.stack.event(resource.logical, resource.physical, resource.kind, status, reason, self.token)

    def pause(self):
        time.sleep(self.control.pace)

    def remove(self, resource, skip=()):
        """Deletes a resource, or keeps it where its policy says so. False when that fails."""
        kept = resource.definition.get("DeletionPolicy", "Delete")
        if resource.physical and (kept == "Retain" or resource.logical in skip):
            self.event(resource, "DELETE_SKIPPED")
            return True
        self.control.wait_before(resource.logical)
        self.event(resource, "DELETE_IN_PROGRESS")
        self.pause()
        try:
            if reason := self.control.failure(resource.logical, "DELETE"):
                raise Failed(reason)
            if resource.physical:
                kind_of(resource.kind).delete(self.place, resource)
        except Failed as failed:
            self.event(resource, "DELETE_FAILED", str(failed))
            return False
        self.event(resource, "DELETE_COMPLETE")
        return True

    def remove_all(self, resources, skip=()):
        """Deletes resources, last made first, and names those that could not be. A resource that one of them needs
        stays as well."""
        stuck, needed = [], set()
        with self.world.lock:
            definitions = {one.logical: one.definition for one in resources}
            ordered = [name for level in reversed(levels(definitions)) for name in level]
        by_name = {one.logical: one for one in resources}
        for logical in ordered:
            if logical in needed:
                needed |= needs(by_name[logical].definition)
            elif self.remove(by_name[logical], skip):
                with self.world.lock:
                    if self.stack.resources.get(logical) is by_name[logical]:
                        del self.stack.resources[logical]
            else:
                stuck.append(logical)
                needed |= needs(by_name[logical].definition)
        return stuck


class Delete(Operation):
    """The deletion of a stack."""

    def __init__(self, world, stack, token, retain=()):
        super().__init__(world, stack, token)
        self.retain = retain

    def begin(self):
        self.tell("DELETE_IN_PROGRESS", "User Initiated")
        self.start()

    def run(self):
        self.go(None)

    def go(self, why):
        if why:
            self.tell("DELETE_IN_PROGRESS", why)
        stuck = self.remove_all(list(self.stack.resources.values()), self.retain)
        if stuck:
            self.tell("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(stuck)}]. ")
            return
        with self.world.lock:
            self.stack.deleted = now()
            self.stack.tell("DELETE_COMPLETE", None, self.token)


def needs(definition):
    """What a resource needs, which cannot go before it."""
    return set(references(definition))
