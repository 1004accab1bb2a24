"""Says of handlers what can be known without running them: a file that is not there, a syntax error, a missing name.

Standard input has a JSON list, for each handler `name`, as `module.function`, and the `folders` that it is looked for in. Standard
output gets a list of as many texts, with null for what nothing can be said against.
"""

import ast
import importlib.util
import json
import os
import sys

# What makes names that no reader of the code can see.
HIDDEN = {"__getattr__", "exec", "globals", "setattr", "vars"}


def lack(name, folders):
    path, _, function = name.rpartition(".")
    if not path or not function:
        return f"its handler is `{name}`, and must be `module.function`"
    parts = path.replace("/", ".").split(".")
    file = find(parts, folders)
    if file is None:
        if is_installed(parts[0], folders):
            return None
        return f"its handler is `{name}`, and there is no {os.path.join(folders[0], *parts)}.py"
    with open(file, "rb") as source:
        text = source.read()
    try:
        tree = ast.parse(text, file)
    except SyntaxError as error:
        return f"{file}:{error.lineno}: {error.msg}"
    except ValueError as error:
        return f"{file}: {error}"
    if may_have(tree, function):
        return None
    return f"its handler is `{name}`, and {file} has no `{function}`"


def find(parts, folders):
    for folder in folders:
        base = os.path.join(folder, *parts)
        for file in (base + ".py", os.path.join(base, "__init__.py")):
            if os.path.isfile(file):
                return file
    return None


def is_installed(module, folders):
    sys.path[:0] = folders
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
    finally:
        del sys.path[: len(folders)]


def may_have(tree, name):
    """Whether a module has a name, or does what may give it any name."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if node.name in HIDDEN or node.name == name:
                return True
            # What is inside of it is not the module's, but for what surrounds it.
            waiting.extend(node.decorator_list)
            continue
        if isinstance(node, ast.alias) and (node.name == "*" or (node.asname or node.name.split(".")[0]) == name):
            return True
        if isinstance(node, ast.Name) and (node.id in HIDDEN or (node.id == name and isinstance(node.ctx, ast.Store))):
            return True
        if isinstance(node, ast.ExceptHandler) and node.name == name:
            return True
        waiting.extend(ast.iter_child_nodes(node))
    return False


json.dump([lack(handler["name"], handler["folders"]) for handler in json.load(sys.stdin)], sys.stdout)
