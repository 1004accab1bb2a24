"""Runs a Python function: takes its invocations from the Runtime API, calls its handler, and posts what comes of it.

usage: python.py [FOLDER...]    each FOLDER has more packages, which are found after the function's own modules

The handler, the folder of the code and the address of the Runtime API are in the environment, as on Lambda.
"""

import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback
from decimal import Decimal

API = "/2018-06-01/runtime/"

# What Lambda's own runtime brings along, and this machine may not have.
BROUGHT_BY_LAMBDA = {"boto3", "botocore", "awscrt", "s3transfer"}


class Failed(Exception):
    """A failure that is the runtime's to tell, by Lambda's name for it."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.trace = kind, list(trace)


class RuntimeApi:
    """The Runtime API over one connection, which is kept."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address)

    def next(self):
        """The next invocation's headers and payload."""
        self.connection.request("GET", API + "invocation/next")
        response = self.connection.getresponse()
        payload = response.read()
        if response.status != 200:
            # The runner is on its way down.
            sys.exit(0)
        return response.headers, payload

    def post(self, path, body, error_type=None):
        headers = {"Content-Type": "application/json"}
        if error_type is not None:
            headers["Lambda-Runtime-Function-Error-Type"] = error_type
        sys.stdout.flush()
        sys.stderr.flush()
        self.connection.request("POST", API + path, body, headers)
        self.connection.getresponse().read()


class CognitoIdentity:
    """Nobody's: no mobile client calls here."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class Client:
    """What a mobile client says of itself."""

    def __init__(self, fields):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, fields.get(name))


class ClientContext:
    """What the caller of `Invoke` has given as its context."""

    def __init__(self, fields):
        self.custom = fields.get("custom")
        self.env = fields.get("env")
        self.client = Client(fields["client"]) if fields.get("client") else None


class LambdaContext:
    """The second argument of a handler."""

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        context = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = ClientContext(json.loads(context)) if context else None
        self.identity = CognitoIdentity()
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class Log(logging.Handler):
    """What the function logs, in the form that Lambda's own runtime gives it."""

    def __init__(self, is_json):
        super().__init__()
        self.is_json = is_json
        self.request_id = None
        self.formatter = logging.Formatter(datefmt="%Y-%m-%dT%H:%M:%S")
        self.formatter.converter = time.gmtime

    def emit(self, record):
        try:
            sys.stdout.write((self.as_json(record) if self.is_json else self.as_text(record)) + "\n")
        except Exception:
            self.handleError(record)

    def as_text(self, record):
        when = f"{self.formatter.formatTime(record, self.formatter.datefmt)}.{int(record.msecs):03d}Z"
        line = f"[{record.levelname}]\t{when}\t{self.request_id or ''}\t{record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatter.formatException(record.exc_info)
        if record.stack_info:
            line += "\n" + record.stack_info
        return line

    def as_json(self, record):
        line = {
            "timestamp": self.formatter.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": self.request_id,
        }
        if record.exc_info:
            kind, error, trace = record.exc_info
            line["errorType"], line["errorMessage"] = kind.__name__, str(error)
            line["stackTrace"] = traceback.format_tb(trace)
        # What was given as `extra`.
        line.update((name, value) for name, value in vars(record).items() if name not in RECORDS_OWN)
        return json.dumps(line, ensure_ascii=False, default=str)

    def failed(self, failure):
        """Tells of a failure of the function."""
        if self.is_json:
            line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "log_level": "ERROR", **failure}
            sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
            return
        lines = [f"[ERROR] {failure['errorType']}: {failure['errorMessage']}\n"]
        if failure["stackTrace"]:
            lines += ["Traceback (most recent call last):\n", *failure["stackTrace"]]
        sys.stdout.write("".join(lines).rstrip("\n") + "\n")


# The names that every log record has.
RECORDS_OWN = {*vars(logging.makeLogRecord({})), "message", "asctime"}


def failure_of(error, request_id):
    """An error as Lambda's runtime describes it. The frames of this file are nobody's concern."""
    if isinstance(error, Failed):
        kind, trace = error.kind, error.trace
    else:
        kind = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        trace = traceback.format_list([frame for frame in frames if not is_internal(frame.filename)])
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def is_internal(file):
    return file == __file__ or file.startswith("<frozen importlib") or file == importlib.__file__


def load(name):
    """The handler that `module.function` names; the module may be in folders."""
    try:
        path, function = name.rsplit(".", 1)
    except ValueError:
        raise Failed("Runtime.MalformedHandlerName", f"Bad handler '{name}': {sys.exc_info()[1]}") from None
    module_name = path.replace("/", ".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        missing = (error.name or "").split(".")[0]
        if missing in BROUGHT_BY_LAMBDA:
            sys.stdout.write(f"Lambda's own runtime has {missing}, this machine does not: pip install {missing}\n")
        raise Failed("Runtime.ImportModuleError", f"Unable to import module '{path}': {error}") from None
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {(error.text or "").strip()}\n']
        raise Failed("Runtime.UserCodeSyntaxError", f"Syntax error in module '{path}': {error}", trace) from None
    try:
        return getattr(module, function)
    except AttributeError:
        raise Failed("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{path}'") from None


def marshal(value):
    """A value that JSON does not have: numbers of DynamoDB are numbers."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def answer(handler, payload, context):
    try:
        event = json.loads(payload)
    except ValueError as error:
        raise Failed("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None
    given = handler(event, context)
    try:
        return json.dumps(given, ensure_ascii=False, default=marshal).encode()
    except (TypeError, ValueError) as error:
        raise Failed("Runtime.MarshalError", f"Unable to marshal response: {error}") from None


def serve(api, handler, log):
    while True:
        headers, payload = api.next()
        context = LambdaContext(headers)
        log.request_id = context.aws_request_id
        trace_id = headers.get("Lambda-Runtime-Trace-Id")
        if trace_id:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        path = f"invocation/{context.aws_request_id}"
        try:
            given = answer(handler, payload, context)
        except Exception as error:
            failure = failure_of(error, context.aws_request_id)
            log.failed(failure)
            api.post(f"{path}/error", json.dumps(failure), failure["errorType"])
        else:
            api.post(f"{path}/response", given)


def main():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    # In place of the folder of this file.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[1:1] = sys.argv[1:]
    log = Log(os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON")
    logging.getLogger().addHandler(log)
    if log.is_json:
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        logging.getLogger().setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        failure = failure_of(error, "")
        log.failed(failure)
        api.post("init/error", json.dumps(failure), failure["errorType"])
        sys.exit(1)
    serve(api, handler, log)


if __name__ == "__main__":
    try:
        main()
    except (ConnectionError, http.client.HTTPException):
        # The runner is gone.
        sys.exit(1)
