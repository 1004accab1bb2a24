// Runs a Node.js function: takes its invocations from the Runtime API, calls its handler, and posts what comes of it.
//
// The handler, the folder of the code and the address of the Runtime API are in the environment, as on Lambda.

import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const environment = process.env;
const API = `http://${environment.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/`;
// A socket that is idle holds no process: the event loop is empty when the function has nothing left to do.
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

// A failure that is the runtime's to tell, by Lambda's name for it.
class Failed extends Error {
  constructor(kind, message, stack) {
    super(message);
    this.name = kind;
    if (stack !== undefined) {
      this.stack = stack;
    }
  }
}

function call(method, route, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(API + route, { method, agent, headers }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces).toString() });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

function postFailure(route, failure) {
  const headers = { "Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": failure.errorType };
  return call("POST", route, JSON.stringify(failure), headers);
}

// An error as Lambda's runtime describes it. What is no error is told by its type.
function failureOf(error) {
  if (error instanceof Error || (typeof error === "object" && error !== null && "message" in error && "stack" in error)) {
    const trace = String(error.stack ?? "").split("\n").filter((line) => !line.includes(import.meta.url));
    return { errorType: error.name ?? "Error", errorMessage: String(error.message ?? ""), trace };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

const log = {
  requestId: undefined,
  isJson: environment.AWS_LAMBDA_LOG_FORMAT === "JSON",
  levels: ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"],

  write(level, ...given) {
    const now = new Date().toISOString();
    if (!this.isJson) {
      const message = format(...given).replaceAll("\n", "\r");
      process.stdout.write(`${now}\t${this.requestId ?? "undefined"}\t${level}\t${message}\n`);
      return;
    }
    if (this.levels.indexOf(level) < this.levels.indexOf(environment.AWS_LAMBDA_LOG_LEVEL ?? "INFO")) {
      return;
    }
    const line = { timestamp: now, level, requestId: this.requestId };
    const error = given.find((one) => one instanceof Error);
    if (error !== undefined) {
      const { errorType, errorMessage, trace } = failureOf(error);
      Object.assign(line, { errorType, errorMessage, stackTrace: trace });
    }
    let [message] = given;
    if (given.length !== 1 || message instanceof Error || typeof message !== "object") {
      message = format(...given);
    }
    process.stdout.write(`${JSON.stringify({ ...line, message })}\n`);
  },
};

function patchConsole() {
  const levels = { trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR" };
  for (const [method, level] of Object.entries(levels)) {
    console[method] = (...given) => log.write(level, ...given);
  }
}

// --- The handler

// The module's file: the first that is there of those that Lambda looks for.
function moduleFile(folder, name) {
  const candidates = ["", ".js", ".mjs", ".cjs"].map((extension) => path.resolve(folder, name + extension));
  return candidates.find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
}

// Whether a `.js` file is a module by the package that it is in.
function isInModulePackage(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (fs.existsSync(manifest)) {
      return JSON.parse(fs.readFileSync(manifest, "utf8")).type === "module";
    }
    if (path.dirname(folder) === folder) {
      return false;
    }
  }
}

function loadFile(file) {
  const isModule = file.endsWith(".mjs") || (file.endsWith(".js") && isInModulePackage(file));
  return isModule ? import(pathToFileURL(file)) : createRequire(file)(file);
}

async function loadModule(folder, name) {
  const file = moduleFile(folder, name);
  if (file === undefined) {
    throw new Failed("Runtime.ImportModuleError", `Error: Cannot find module '${name}' in ${folder}`);
  }
  try {
    return await loadFile(file);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new Failed("Runtime.UserCodeSyntaxError", String(error), error.stack);
    }
    if (["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code)) {
      if (String(error.message).includes("@aws-sdk/")) {
        log.write("WARN", "Lambda's own runtime has the AWS SDK, this machine does not: npm install the client that you use");
      }
      throw new Failed("Runtime.ImportModuleError", String(error), error.stack);
    }
    throw error;
  }
}

// The function that `module.function` names; both may have several parts: `src/app.handlers.create`.
async function loadHandler(name) {
  const folder = path.dirname(name);
  const [, base, names] = path.basename(name).match(/^([^.]*)\.(.*)$/) ?? [];
  if (base === undefined || name.includes("..")) {
    throw new Failed("Runtime.MalformedHandlerName", "Bad handler");
  }
  const module = await loadModule(environment.LAMBDA_TASK_ROOT, path.join(folder, base));
  const find = (from) => names.split(".").reduce((found, part) => found?.[part], from);
  const handler = find(module) ?? find(module.default);
  if (handler === undefined) {
    throw new Failed("Runtime.HandlerNotFound", `${name} is undefined or not exported`);
  }
  if (typeof handler !== "function") {
    throw new Failed("Runtime.HandlerNotFound", `${name} is not a function`);
  }
  return handler;
}

// --- Invocations

// What is done when the event loop is empty and when an error reaches nobody, while an invocation runs.
let running;

process.on("beforeExit", () => running?.whenEmpty());
process.on("uncaughtException", (error) => fatal(error, 129));
process.on("unhandledRejection", (reason) => {
  fatal(new Failed("Runtime.UnhandledPromiseRejection", String(reason), reason?.stack), 128);
});

async function fatal(error, status) {
  const failure = describe(status === 128 ? "Unhandled Promise Rejection" : "Uncaught Exception", error);
  const route = running === undefined ? "init/error" : `invocation/${running.id}/error`;
  // Where the runner is gone there is nobody to tell.
  await postFailure(route, failure).catch(() => undefined);
  process.exit(status);
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const clientContext = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    clientContext: clientContext === undefined ? undefined : JSON.parse(clientContext),
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

// The handler's result: of its promise, or of the callback that it calls. A callback's result waits until the event loop is
// empty, unless the context says that it does not; and where nothing is left to do, there will be none.
function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    let isAsync = false;
    let called;
    const settle = () => (called.error === undefined || called.error === null ? resolve(called.result) : reject(called.error));
    running.whenEmpty = () => {
      if (called !== undefined) {
        settle();
      } else if (isAsync) {
        reject(new Failed("Runtime.NodeJsExit", NEVER_SETTLED, ""));
      } else {
        resolve(null);
      }
    };
    const callback = (error, result) => {
      called ??= { error, result };
      if (!context.callbackWaitsForEmptyEventLoop) {
        setImmediate(settle);
      }
    };
    context.succeed = (result) => callback(null, result);
    context.fail = (error) => callback(error ?? "handled");
    context.done = callback;
    const given = handler(event, context, callback);
    if (typeof given?.then === "function") {
      isAsync = true;
      given.then(resolve, reject);
    }
  });
}

const NEVER_SETTLED =
  "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was " +
  "never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes";

function marshal(result) {
  try {
    return JSON.stringify(result) ?? "null";
  } catch (error) {
    throw new Failed("Runtime.MarshalError", `Unable to stringify response body: ${error}`, error.stack);
  }
}

function describe(what, error) {
  const failure = failureOf(error);
  const { errorType, errorMessage, trace } = failure;
  log.write("ERROR", what, "\t", JSON.stringify({ errorType, errorMessage, stack: trace }));
  return failure;
}

async function invoke(handler, { headers, body }) {
  const context = contextOf(headers);
  const id = context.awsRequestId;
  log.requestId = id;
  if (headers["lambda-runtime-trace-id"] !== undefined) {
    environment._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"];
  }
  running = { id, whenEmpty() {} };
  let result;
  let failure;
  try {
    result = marshal(await run(handler, JSON.parse(body), context));
  } catch (error) {
    failure = describe("Invoke Error", error);
  }
  running = undefined;
  if (failure === undefined) {
    await call("POST", `invocation/${id}/response`, result, { "Content-Type": "application/json" });
  } else {
    await postFailure(`invocation/${id}/error`, failure);
  }
}

async function main() {
  patchConsole();
  let handler;
  try {
    handler = await loadHandler(environment._HANDLER);
  } catch (error) {
    await postFailure("init/error", describe("Uncaught Exception", error));
    process.exit(1);
  }
  for (;;) {
    const invocation = await call("GET", "invocation/next");
    if (invocation.status !== 200) {
      // The runner is on its way down.
      return;
    }
    await invoke(handler, invocation);
  }
}

// A runner that is gone is no error of the function.
main().catch(() => process.exit(1));
