"""What all services of one process share."""

import threading

from control import Control
from inside import Inside

ACCOUNT = "123456789012"


class World:
    """An account of AWS, empty at the start."""

    def __init__(self, moto, registry):
        self.lock = threading.RLock()
        self.control = Control()
        self.inside = Inside(moto)
        self.registry = registry
        self.regions = {}

    def region(self, name):
        """A region, which is there as soon as it is named."""
        with self.lock:
            return self.regions.setdefault(name, Region(name))


class Region:
    """What a region has besides what moto keeps."""

    def __init__(self, name):
        self.name = name
        self.stacks = []
        self.clusters = {}
        self.task_definitions = {}
        self.tasks = {}
        self.services = {}
        self.tokens = {}
        # Names that are given, of types that moto keeps nothing of.
        self.taken = set()

    def arn(self, service, what):
        return f"arn:aws:{service}:{self.name}:{ACCOUNT}:{what}"
