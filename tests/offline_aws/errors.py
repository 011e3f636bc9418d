"""How a service of AWS refuses a call."""


class Refused(Exception):
    """A refusal with the code and the message that AWS has for it."""

    def __init__(self, code, message, status=400):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def invalid(message):
    """What CloudFormation says to nearly everything that it does not take."""
    return Refused("ValidationError", message)
