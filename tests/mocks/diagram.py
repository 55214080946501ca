"""Draws the tables and diagrams of docs/architecture.md from what the program registers.

    python -m tests.mocks.diagram      writes them anew, between their marks

The text around them is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tests.mocks.program import ROOT, run
from tests.mocks.recording import PROJECT, Program, Registered

PAGE = ROOT / "docs" / "architecture.md"
MARK = re.compile(r"(<!-- drawn: (?P<name>[a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
SUFFIX = "-1234567"


def drawn() -> dict[str, str]:
    """Every part of the page that comes from the program, by its mark."""
    dev, prod = run("dev"), run("prod")
    return {
        "containers": containers({"dev": dev, "prod": prod}),
        "prod": reach(prod),
        "dev": reach(dev),
        "order": order(prod),
        "networks": networks({"dev": dev, "prod": prod}),
        "volumes": volumes(prod),
    }


def page(text: str, parts: Mapping[str, str]) -> str:
    """The page with all parts as they are now. Raises KeyError for a mark that nothing is drawn for."""
    return MARK.sub(lambda found: f"{found[1]}{parts[found['name']]}\n{found[3]}", text)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    return "\n".join(f"| {' | '.join(row)} |" for row in (titles, ["---"] * len(titles), *rows))


def mermaid(lines: Iterable[str], direction: str) -> str:
    return "\n".join(["```mermaid", f"flowchart {direction}", *(f"    {line}" for line in lines), "```"])


def containers(programs: Mapping[str, Program]) -> str:
    """Each container of `docker ps`, and where in the code it is made."""
    rows: dict[str, list[str]] = {}
    for stack, program in programs.items():
        for kind in ("Container", "Job"):
            for logical, each in sorted(program.of_kind(kind).items()):
                component = each.urn.split("::")[2].split("$")[-2]
                fixed = kind == "Job" or each.inputs.get("name")
                shown = f"`{PROJECT}-STACK-{logical}{'' if fixed else '-…'}`"
                row = rows.setdefault(logical, [shown, "", "", f"[{source(component)}](../{source(component)})"])
                row[1 + list(programs).index(stack)] = "yes" if kind == "Container" else "until it has ended"
    return table(("`docker ps`", *programs, "made in"), rows.values())


def source(component: str) -> str:
    """The file of a component, by its type token."""
    found = [path for path in (ROOT / "components").glob("*.py") if f'"{component}"' in path.read_text()]
    assert len(found) == 1, component
    return str(found[0].relative_to(ROOT))


def members(program: Program) -> dict[str, dict[str, list[str]]]:
    """{network: {container or job: the names under which others find it there}}."""
    name = {f"{each.name}{SUFFIX}": logical for logical, each in program.of_kind("Network").items()}
    found: dict[str, dict[str, list[str]]] = {logical: {} for logical in name.values()}
    container = {f"{each.name}-id": logical for logical, each in program.containers.items()}
    for logical, each in program.containers.items():
        for entry in each.inputs["networksAdvanced"]:
            found[name[entry["name"]]][logical] = entry.get("aliases") or []
    for each in program.of_kind("Attachment").values():
        found[name[each.inputs["network"]]][container[each.inputs["container"]]] = each.inputs["aliases"]
    for logical, each in program.of_kind("Job").items():
        for network in each.inputs["networks"]:
            found[name[network]][logical] = []
    return found


def reach(program: Program) -> str:
    """Who calls whom, by which name; where a browser comes in; where data is."""
    lines = [f'{key(name)}["{name}"]' for name in sorted(program.containers)]
    lines += [f'{key(name)}[/"{name}"/]' for name in sorted(program.of_kind("Job"))]
    for name, each in sorted(program.containers.items()):
        lines += [
            f'browser(["browser"]) -->|"{port["ip"]}:{port["external"]:.0f}"| {key(name)}'
            for port in each.inputs.get("ports", ())
        ]
    lines += [
        f"edge --> {key(name)}"
        for name, told in sorted(released(program).items())
        if told["upstream"] and "edge" in program.containers
    ]
    calls = {
        (caller, alias, called)
        for on in members(program).values()
        for called, aliases in on.items()
        for alias in aliases
        for caller in on
        if caller != called and not caller.startswith(f"{called}-")
    }
    lines += [f'{key(caller)} -->|"as {alias}"| {key(called)}' for caller, alias, called in sorted(calls)]
    for name, volume in sorted(program.of_kind("Volume").items()):
        for user, each in sorted(program.containers.items()):
            if volume.name in {v["volumeName"].removesuffix(SUFFIX) for v in named_volumes(each)}:
                lines.append(f'{key(user)} --- {key(name)}_volume[("{name}")]')
    return mermaid(lines, "LR")


def released(program: Program) -> dict[str, dict[str, str]]:
    told = program.of_kind("Release")["release"].inputs["containers"]
    names = {f"{each.name}{SUFFIX}": logical for logical, each in program.containers.items()}
    return {names[each["name"]]: each for each in told}


def named_volumes(container: Registered) -> list[dict[str, str]]:
    return [volume for volume in container.inputs.get("volumes", ()) if volume.get("volumeName")]


def key(name: str) -> str:
    return name.replace("-", "_")


def order(program: Program) -> str:
    """Components in the order in which one needs the other; what follows from the rest is left out."""
    top = {urn: owner(program, each) for urn, each in program.resources.items()}
    needs: dict[str, set[str]] = {urn: set() for urn in top.values()}
    for urn, each in program.resources.items():
        needs[top[urn]] |= {top[other] for other in each.depends_on if other in top} - {top[urn]}
    shown = {urn for urn, each in program.resources.items() if top[urn] == urn and each.type.startswith("slipway:")}
    lines = [f'{node(program, urn)}["{label(program.resources[urn])}"]' for urn in sorted(shown)]
    for urn in sorted(shown):
        direct = needs[urn] & shown
        lines += [
            f"{node(program, other)} --> {node(program, urn)}"
            for other in sorted(direct)
            if not any(other in above(needs, between) for between in direct - {other})
        ]
    return mermaid(lines, "TD")


def owner(program: Program, resource: Registered) -> str:
    while resource.request.parent in program.resources:
        resource = program.resources[resource.request.parent]
    return resource.urn


def above(needs: Mapping[str, set[str]], urn: str) -> set[str]:
    found: set[str] = set()
    waiting = [urn]
    while waiting:
        new = needs[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


def node(program: Program, urn: str) -> str:
    return key(f"{program.resources[urn].kind}-{program.resources[urn].logical}")


def label(resource: Registered) -> str:
    return resource.kind if resource.logical == resource.kind.lower() else f"{resource.kind}: {resource.logical}"


def networks(programs: Mapping[str, Program]) -> str:
    rows = []
    for stack, program in programs.items():
        for name, on in sorted(members(program).items()):
            who = ", ".join(f"{each} as {', '.join(a)}" if a else each for each, a in sorted(on.items()))
            internal = program.of_kind("Network")[name].inputs["internal"]
            rows.append((stack, f"`{name}`", "no" if internal else "yes", who))
    return table(("stack", "network", "way out", "on it"), rows)


def volumes(program: Program) -> str:
    rows = []
    for name, each in sorted(program.of_kind("Volume").items()):
        kept = "kept by `destroy` in prod" if each.request.retainOnDelete else "goes with the stack"
        rows.append((f"`{PROJECT}-STACK-{name}{'' if each.inputs.get('name') else '-…'}`", kept))
    return table(("volume", "data"), rows)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), drawn()))
