"""Which operations were answered, and the table of them."""

from collections import defaultdict

HEAD = """# What works

The operations of each service that the tests with boto3 call, and that the local cloud answers as the tests expect. `tests/clients`
writes this table; nothing in it is written by hand. Another operation may work as well, but no test says so.

| service | operations |
| --- | --- |
"""


class Answered:
    """The operations that were answered without an error."""

    def __init__(self):
        self._services = defaultdict(set)

    def note(self, model, http_response, **_):
        """A handler of botocore's event `after-call`."""
        if http_response.status_code < 300:
            self._services[model.service_model.service_id].add(model.name)

    def table(self):
        rows = sorted(self._services.items())
        return HEAD + "".join(f"| {service} | {', '.join(sorted(names))} |\n" for service, names in rows)
