"""The reference at /docs: pages of plain HTML out of the OpenAPI document, without a line of JavaScript.

Every page is written once, when the process begins; there is nothing on it that anybody could have typed.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from litestar import Response, get

from staddle.api.openapi import openapi
from staddle.errors import AddressNotFound
from staddle.server.app import Edge
from staddle.server.describe_errors import describe_errors
from staddle.server.service import Service

Schema = dict[str, Any]
POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "public, max-age=300"}
DEEPEST = 4
ORDER = ("Products", "Staking", "Positions", "Rewards", "Accounts", "Statements", "Choices", "Events")
"""What a customer's software begins with; the other groups follow by name."""


def edge(service: Service) -> Edge:
    """Make the routes."""
    reference = Reference(openapi(service.config.public_url))
    pages = reference.pages()
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")

    @get(["/docs", "/docs/{name:str}"], sync_to_thread=False)
    def docs(name: str = "") -> Response[str]:
        """Show a page of the reference."""
        if name == "style.css":
            return Response(style, media_type="text/css", headers=HEADERS)
        if name not in pages:
            raise AddressNotFound
        return Response(pages[name], media_type="text/html", headers=HEADERS)

    return Edge([docs])


@dataclass
class Reference:
    """The pages made of one OpenAPI document."""

    document: Schema

    def pages(self) -> dict[str, str]:
        """Write all pages, by the last part of their address."""
        made = {
            "": self.page("Reference", "", self.front()),
            "errors": self.page("Errors", "errors", errors()),
        }
        for tag in self.tags:
            content = "\n".join(self.operation(each) for each in self.tags[tag])
            # The errors themselves stand on the page of their group.
            content = f"<h1>{escape(tag)}</h1>\n{content}" if slug(tag) != "errors" else errors() + content
            made[slug(tag)] = self.page(tag, slug(tag), content)
        return made

    @cached_property
    def tags(self) -> Mapping[str, list[Schema]]:
        """The operations by group."""
        found: dict[str, list[Schema]] = {}
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                told = {**operation, "path": path, "method": method}
                found.setdefault(operation["tags"][0], []).append(told)
        rank = {tag: number for number, tag in enumerate(ORDER)}
        return {tag: found[tag] for tag in sorted(found, key=lambda tag: (rank.get(tag, len(ORDER)), tag))}

    def page(self, title: str, current: str, content: str) -> str:
        """Put a page together."""
        version = self.document["info"]["version"]
        template = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
        return template.substitute(
            title=escape(title), version=escape(version), side=self.side(current), content=content
        )

    def side(self, current: str) -> str:
        """List the groups, and the operations of the one that is shown."""
        items = []
        for tag, operations in self.tags.items():
            is_current = slug(tag) == current
            mark = ' aria-current="page"' if is_current else ""
            inside = "".join(
                f'<li><a href="#{each["operationId"]}">{escape(words(each["operationId"]))}</a></li>'
                for each in operations
            )
            items.append(
                f'<li><a href="/docs/{slug(tag)}"{mark}>{escape(tag)}</a>'
                + (f"<ul>{inside}</ul>" if is_current else "")
                + "</li>"
            )
        return f"<ul>{''.join(items)}</ul>"

    def front(self) -> str:
        """Say what holds for all operations, and list them."""
        parts = [f"<h1>{escape(self.document['info']['summary'])}</h1>", FRONT]
        for tag, operations in self.tags.items():
            parts.append(f'<h2><a href="/docs/{slug(tag)}">{escape(tag)}</a></h2><ul class="index">')
            parts += [
                f'<li>{method(each)} <a href="/docs/{slug(tag)}#{each["operationId"]}"><code>'
                f"{escape(each['path'])}</code></a><br>{prose_line(each['summary'])}</li>"
                for each in operations
            ]
            parts.append("</ul>")
        return "\n".join(parts)

    def operation(self, operation: Schema) -> str:
        """Describe an operation."""
        name = operation["operationId"]
        *about, who = operation["description"].split("\n\n")
        parts = [
            f'<section aria-labelledby="{name}"><h2 id="{name}">{escape(words(name).capitalize())}</h2>',
            f'<p class="address">{method(operation)} {escape(operation["path"])}</p>',
            *(f"<p>{prose_line(' '.join(each.split()))}</p>" for each in about),
            f'<p class="who">{prose_line(who)}</p>',
            self.parameters(operation),
            *self.body(operation),
            f'<h3>Try it</h3><pre tabindex="0"><code>{escape(curl(operation))}</code></pre>',
            *self.answer(operation),
            "</section>",
        ]
        return "\n".join(part for part in parts if part)

    def parameters(self, operation: Schema) -> str:
        """List what stands in the address, the query and the headers."""
        rows = [
            f'<li><code class="name">{escape(each["name"])}</code> '
            f'<span class="kind">{escape(kind_of(each["schema"]))}, in the {PLACES[each["in"]]}'
            f"{default_of(each['schema'])}</span>{must(each['required'])}{about(each)}</li>"
            for each in operation["parameters"]
        ]
        return f'<h3>Parameters</h3><ul class="fields">{"".join(rows)}</ul>' if rows else ""

    def body(self, operation: Schema) -> Iterator[str]:
        """Describe the body of the request."""
        content = operation.get("requestBody", {}).get("content", {})
        for media_type, described in content.items():
            yield f'<h3>Body <span class="kind">{escape(media_type)}</span></h3>'
            yield self.fields(described["schema"], 0)

    def answer(self, operation: Schema) -> Iterator[str]:
        """Describe the answer, and name the statuses of what can go wrong."""
        good = {status: each for status, each in operation["responses"].items() if status < "400"}
        for status, described in good.items():
            yield f"<h3>Answer {status}</h3>"
            for media_type, content in described.get("content", {}).items():
                if "example" in content:
                    yield f'<pre tabindex="0"><code>{escape(shown(content["example"]))}</code></pre>'
                inside = self.fields(content["schema"], 0)
                if inside:
                    yield f"<details><summary>The fields of {escape(media_type)}</summary>{inside}</details>"
        wrong = ", ".join(status for status in operation["responses"] if status >= "400")
        yield f'<p class="statuses">Can go wrong with {wrong}: see <a href="/docs/errors">errors</a>.</p>'

    def fields(self, schema: Schema, depth: int) -> str:
        """List the fields of a record, and of the records in it."""
        record = self.record(schema)
        if record is None or depth > DEEPEST:
            return ""
        required = record.get("required", ())
        rows = [
            f'<li><code class="name">{escape(name)}</code> <span class="kind">{escape(kind_of(field))}'
            f"{default_of(field)}</span>{must(name in required) if depth == 0 else ''}{about(field)}"
            f"{self.fields(field, depth + 1)}</li>"
            for name, field in record["properties"].items()
        ]
        told = about(record) if depth == 0 else ""
        return f'{told}<ul class="fields">{"".join(rows)}</ul>'

    def record(self, schema: Schema) -> Schema | None:
        """Find the record that a schema is, or is a list of, or may be."""
        if "$ref" in schema:
            return self.record(self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        if "properties" in schema:
            return schema
        inside = [schema["items"]] if isinstance(schema.get("items"), dict) else schema.get("anyOf", [])
        return next((found for each in inside if (found := self.record(each)) is not None), None)


KINDS = {
    None: "anything",
    "decimal": "decimal, as text",
    "date-time": "instant",
    "string": "text",
    "object": "record",
    "integer": "whole number",
    "boolean": "true or false",
}
PLACES = {"path": "address", "query": "query", "header": "headers"}
FRONT = """<p>Amounts and ids are text, never numbers; instants are RFC 3339 in UTC; unknown fields are refused.</p>
<h2 id="authentication">Who is asking</h2>
<p>Send <code>Authorization: Bearer …</code> with a customer's API key or session, an operator's session, or an
integrator's access token. An integrator with the scope <code>act_for_customers</code> names the customer in
<code>Staddle-Customer</code>. Each operation says whom it is for.</p>
<h2 id="idempotency">Once and only once</h2>
<p>Send an <code>Idempotency-Key</code> of your own with every write, and the same key again when you do not know what
became of it. The stored answer comes back, for ever, with <code>Idempotent-Replayed: true</code>; the same key with
another body is refused.</p>
<h2 id="lists">Long lists</h2>
<p>Lists come in pages. Pass <code>next_cursor</code> as <code>cursor</code> to go on; it is null on the last page. A
cursor stays good for ever.</p>
<h2 id="mistakes">What goes wrong</h2>
<p>Errors are problem details (RFC 9457) with a stable <code>code</code>, the <code>field</code> at fault, and
<code>moved</code>: false where nothing was moved for certain, null where a repeat with the same key will tell. See
<a href="/docs/errors">all errors</a>. Every answer has an <code>X-Request-Id</code>: name it when you ask for help.</p>
"""


def errors() -> str:
    """List every error; a problem's `type` leads to its line."""
    rows = [
        f'<li id="{each.code}"><code class="name">{each.code}</code> <span class="kind">{each.status}</span>'
        f'<p class="about">{prose_line(each.message)}</p></li>'
        for each in sorted(describe_errors(), key=lambda each: each.code)
    ]
    ours = (
        '<li id="internal_error"><code class="name">internal_error</code> <span class="kind">500</span>'
        '<p class="about">A mistake of ours, which has been logged. A repeat with the same idempotency key tells '
        "whether anything was moved.</p></li>"
    )
    return (
        "<h1>Errors</h1><p>The code is stable; the sentence may improve. Nothing was moved unless "
        f'<code>moved</code> says otherwise.</p><ul class="fields">{ours}{"".join(rows)}</ul>'
    )


def curl(operation: Schema) -> str:
    """Write a line that can be pasted once $URL and $TOKEN are set."""
    path = re.sub(
        r"\{(\w+)\}",
        lambda found: example_of(operation, found[1]) or f"${found[1].upper()}",
        operation["path"],
    )
    lines = ["curl" if operation["method"] == "get" else f"curl -X {operation['method'].upper()}"]
    lines[0] += f' "$URL{path}"'
    if operation["security"]:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if any(each["name"] == "Idempotency-Key" for each in operation["parameters"]):
        lines.append('-H "Idempotency-Key: $(uuidgen)"')
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        lines.append(f"-H {shlex.quote(f'Content-Type: {media_type}')}")
        example = content.get("example", {} if media_type == "application/json" else "")
        text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
        lines.append(f"--data {shlex.quote(text)}")
    return " \\\n  ".join(lines)


def example_of(operation: Schema, name: str) -> str | None:
    """Give the example of a parameter, where it has one."""
    for each in operation["parameters"]:
        if each["name"] == name:
            examples = each["schema"].get("examples") or []
            return str(each.get("example", examples[0] if examples else "")) or None
    return None


def kind_of(schema: Schema) -> str:
    """Say in a few words what a value is."""
    if "$ref" in schema:
        return "record"
    if "enum" in schema:
        return "one of " + ", ".join(str(each) for each in schema["enum"])
    if "anyOf" in schema:
        kinds = list(dict.fromkeys(kind_of(each) for each in schema["anyOf"]))
        return " or ".join(kinds)
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items') or {})}"
    is_decimal = "[0-9]+)?$" in schema.get("pattern", "") or "{1,36})?$" in schema.get("pattern", "")
    kind = "decimal" if is_decimal else schema.get("format", schema.get("type"))
    return KINDS.get(kind, str(kind))


def default_of(schema: Schema) -> str:
    """Say what is taken where nothing is given."""
    given = schema.get("default")
    return "" if given is None else f", {escape(json.dumps(given))} unless given"


def about(described: Schema) -> str:
    """Give what a thing says of itself, as a paragraph."""
    text = " ".join(described.get("description", "").split())
    return f'<p class="about">{prose_line(text)}</p>' if text else ""


def must(is_required: bool) -> str:
    """Mark what may not be left out."""
    return ' <span class="must">required</span>' if is_required else ""


def method(operation: Schema) -> str:
    """Show the method in its colour."""
    name = operation["method"]
    return f'<span class="method {name}">{name.upper()}</span>'


def prose_line(text: str) -> str:
    """Write a sentence; what stands in backquotes is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def shown(example: object) -> str:
    """Write an example as it would be sent, on several lines."""
    return example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False)


def words(name: str) -> str:
    """Make words of a name."""
    return name.replace("_", " ")


def slug(tag: str) -> str:
    """Make the part of an address of a group's name."""
    return re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-")
