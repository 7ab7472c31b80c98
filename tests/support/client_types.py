"""Write answers.py, keys.py and nouns.py of src/hostloom/client anew from docs/reference/openapi.json.

`PYTHONPATH=tests python -m support.client_types`; `tests/unit/client/test_types.py` compares.
"""

import builtins
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "reference" / "openapi.json"
CLIENT = ROOT / "src" / "hostloom" / "client"
COMMANDS = ROOT / "src" / "hostloom" / "cli"
PREFIX = "/api/v1/"
NOTE = "Made from docs/reference/openapi.json by tests/support/client_types.py: do not edit."
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
Json = dict[str, Any]


def main() -> None:
    for name, text in files().items():
        (CLIENT / name).write_text(text, encoding="utf-8")


def files() -> dict[str, str]:
    """The generated files, formatted as the project's."""
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    texts = {"answers.py": answers(document), "keys.py": keys(document), "nouns.py": nouns(document)}
    return {name: formatted(text) for name, text in texts.items()}


def formatted(text: str) -> str:
    command = [Path(sys.executable).with_name("ruff"), "format", "--config", ROOT / "pyproject.toml", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def answers(document: Json) -> str:
    """A TypedDict for each object that an answer holds, and a Literal for each enumeration."""
    schemas: Json = document["components"]["schemas"]
    needed = sorted(reachable(schemas, {name for name in schemas if name.endswith("Out")}))
    enums = [name for name in needed if "enum" in schemas[name]]
    objects = [name for name in needed if "enum" not in schemas[name]]
    parts = [
        f'"""The API\'s answers as types.\n\n{NOTE}\n"""',
        "from typing import Any, Literal, TypedDict",
        *(f"{type_name(name)} = Literal[{', '.join(map(repr, schemas[name]['enum']))}]" for name in enums),
        *(typed_dict(name, schemas[name]) for name in objects),
    ]
    return "\n\n".join(parts) + "\n"


def reachable(schemas: Json, names: set[str]) -> set[str]:
    """These schemas and all that they refer to."""
    todo, done = set(names), set[str]()
    while todo:
        name = todo.pop()
        done.add(name)
        todo |= set(references(schemas[name])) - done
    return done


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rsplit("/", 1)[1]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def type_name(schema: str) -> str:
    """`Machine` for `MachineOut`; `WarningAnswer` where the plain name is Python's own."""
    name = schema.removesuffix("Out")
    return f"{name}Answer" if hasattr(builtins, name) else name


def typed_dict(name: str, schema: Json) -> str:
    """The server writes every field, also those with a default: none is optional.

    The descriptions stay in the document, so that a better text there does not make these files stale.
    """
    lines = [f"class {type_name(name)}(TypedDict):", f'    """`{name}` of the document."""', ""]
    lines += [f'    {field}: "{type_of(part)}"' for field, part in schema["properties"].items()]
    return "\n".join(lines)


def type_of(schema: Json) -> str:
    if "$ref" in schema:
        return type_name(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(part) for part in schema["anyOf"]))
    kind = schema.get("type")
    if kind == "array":
        return f"list[{type_of(schema['items'])}]"
    if kind == "object":
        values = schema.get("additionalProperties", True)
        return f"dict[str, {type_of(values) if isinstance(values, dict) else 'Any'}]"
    return PLAIN[kind] if kind else "Any"


def keys(document: Json) -> str:
    """The names of an answer's fields as a Literal, for answers that the command line shows as columns."""
    schemas: Json = document["components"]["schemas"]
    types = {f"{type_name(name)}Key": name for name in sorted(schemas) if name.endswith("Out")}
    used = used_keys()
    lines = [
        f"{key} = Literal[{', '.join(map(repr, schemas[name]['properties']))}]"
        for key, name in types.items()
        if key in used
    ]
    return "\n".join(
        [
            f'"""The names of the fields of the API\'s answers.\n\n{NOTE}\n"""',
            "from typing import Literal",
            *lines,
            "",
        ]
    )


def used_keys() -> set[str]:
    """The types of `hostloom.client.keys` that the command line uses."""
    texts = [path.read_text(encoding="utf-8") for path in COMMANDS.glob("*.py")]
    return {name for text in texts for name in re.findall(r"\bkeys\.(\w+Key)\b", text)}


def nouns(document: Json) -> str:
    """A class for each collection: what its usual methods answer, and a method for each other verb."""
    paths = {path.removeprefix(PREFIX): item for path, item in document["paths"].items()}
    tops = sorted(path for path, item in paths.items() if is_collection(item))
    head = [
        f'"""The API\'s nouns with the types of their answers.\n\n{NOTE}\n"""',
        "from typing import Any, cast",
        "from hostloom.client import answers\nfrom hostloom.client.transport import Collection, Document",
    ]
    return "\n\n".join([*head, *(noun_class(top, paths) for top in tops)]) + "\n"


def is_collection(item: Json) -> bool:
    """Whether it can be listed, page by page."""
    return any(name.startswith("PageOut_") for name in answers_of(item.get("get", {})))


def answers_of(operation: Json) -> list[str]:
    """The schemas of a successful answer; none where the answer is empty or has no schema of its own."""
    contents = [
        answer["content"]["application/json"]["schema"]
        for status, answer in operation.get("responses", {}).items()
        if status.startswith("2") and "application/json" in answer.get("content", {})
    ]
    return [schema["$ref"].rsplit("/", 1)[1] for schema in contents if "$ref" in schema]


def typed(schemas: list[str]) -> str:
    return " | ".join(f"answers.{type_name(schema)}" for schema in schemas) or "Document"


def noun_class(top: str, paths: Json) -> str:
    """The class of the collection at /TOP."""
    name = "".join(word.capitalize() for word in top.split("-"))
    one: Json = next((item for path, item in paths.items() if re.fullmatch(rf"{top}(/\{{\w+\}})+", path)), {})
    (page,) = answers_of(paths[top]["get"])
    listed = [page.removeprefix("PageOut_").removesuffix("_")]
    detail = answers_of(one.get("get", {})) or listed
    created = answers_of(paths[top].get("post", {})) or listed
    changed = answers_of(one.get("patch", {})) or detail
    types = ", ".join(typed(schemas) for schemas in (listed, detail, created, changed))
    lines = [f"class {name}(Collection[{types}]):", f'    """`{PREFIX}{top}`."""']
    for path, item in paths.items():
        parts = re.fullmatch(rf"{top}/\{{\w+\}}/([a-z-]+)(?:/\{{(\w+)\}})?", path)
        if parts:
            usable = [(verb, operation) for verb, operation in item.items() if is_json(operation)]
            lines += [method(parts[1], parts[2], verb, operation) for verb, operation in usable]
    return "\n\n".join(lines)


def is_json(operation: Json) -> bool:
    """Whether the answer is empty or JSON, and not a stream."""
    contents = [answer.get("content", {}) for answer in operation["responses"].values()]
    return not any("text/event-stream" in content for content in contents)


#: How a method is called, by the verb of HTTP; POST has the last word of the path alone.
METHODS = {"get": "get_", "put": "set_", "delete": "cancel_", "patch": "update_"}


def method(word: str, part: str | None, verb: str, operation: Json) -> str:
    """One verb of one thing: `start`, `get_why`, `set_dhcp`, `cancel_commission`, `update_interface`."""
    name = METHODS.get(verb, "") + (part or word.replace("-", "_"))
    schemas = answers_of(operation)
    has_body = "requestBody" in operation
    more = "**query: Any" if verb == "get" else "body: Document | None = None" if has_body else ""
    parameters = ["self", "key: str", f"{part}: str" if part else "", more]
    path = f'f"{word}/{{{part}}}"' if part else f'"{word}"'
    arguments = ["key", path, *(["**query"] if verb == "get" else ["body"] if has_body else [])]
    arguments += [f'method="{verb.upper()}"'] if verb not in ("get", "post") else []
    call = f"self.{'ask' if verb == 'get' else 'act'}({', '.join(arguments)})"
    value = f'cast("{typed(schemas)}", {call})' if schemas else call
    return "\n".join(
        [
            f"    def {name}({', '.join(filter(None, parameters))}) -> {typed(schemas)}:",
            f'        """`{verb.upper()} …/{word}`."""',
            f"        return {value}",
        ]
    )


if __name__ == "__main__":
    main()
