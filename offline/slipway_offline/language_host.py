"""The language host for `runtime: python`: `<program> [flags] ENGINE_ADDRESS`, started by the pulumi CLI.

It writes a port as its first line and answers the LanguageRuntime service there: runs the program in its own virtual
environment, names the plugins that its packages need, installs its requirements, runs policy packs and other plugins
written in Python. It does not generate code (`pulumi convert`, `pulumi package add`, `pulumi import` with generated
code) and attaches no debugger; such calls are refused with a message.
"""

# Names and arguments are those of the protocol.
# ruff: noqa: ARG002, N802
from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from functools import wraps
from pathlib import Path
from typing import IO, Any, Never

import grpc
from google.protobuf import empty_pb2

from . import lifeline
from .project_python import ProjectError, ProjectPython
from .stubs import CHANNEL_OPTIONS, engine_pb2, engine_pb2_grpc, language_pb2, language_pb2_grpc, plugin_pb2

HERE = Path(__file__).parent
REPORTED = 32  # run_program's exit status when it has told the engine what went wrong


def explaining(method: Callable[..., Any]) -> Callable[..., Any]:
    """A project's mistakes become the call's error message."""
    @wraps(method)
    def wrapped(self: LanguageHost, request: Any, context: Any) -> Any:
        try:
            return method(self, request, context)
        except ProjectError as error:
            return context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
    return wrapped


def refused(command: str) -> Callable[..., Never]:
    """A call that this host does not answer, which the CLI makes for `command`."""
    def method(_host: LanguageHost, _request: Any, context: Any) -> Never:
        context.abort(grpc.StatusCode.UNIMPLEMENTED,
                      f"the offline Python language host does not generate code: {command} is not available")
        raise AssertionError("abort does not return")
    return method


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The service. Every process that it starts ends with it, with its call, or with `Cancel`."""

    GenerateProgram = refused("`pulumi convert`, or code for `pulumi import`,")
    GenerateProject = refused("`pulumi convert`")
    GeneratePackage = refused("`pulumi package add` or `gen-sdk`")
    Pack = refused("`pulumi package pack-sdk`")
    Link = refused("`pulumi package add`")

    def __init__(self, engine_address: str) -> None:
        self.engine_address = engine_address
        self.running: set[subprocess.Popen[bytes]] = set()

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="0.1.0")

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        return language_pb2.RuntimeOptionsResponse()  # `pulumi new` has nothing to ask: pip is the only toolchain

    def Template(self, request: Any, context: Any) -> Any:
        return language_pb2.TemplateResponse()

    def About(self, request: Any, context: Any) -> Any:
        try:
            python = ProjectPython.of(request.info).interpreter
            version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.split()[-1]
        except (ProjectError, OSError, subprocess.CalledProcessError):
            python, version = sys.executable, "{}.{}.{}".format(*sys.version_info)
        return language_pb2.AboutResponse(executable=python, version=version)

    @explaining
    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        python = ProjectPython.of(request.info)
        if python.virtualenv and not python.virtualenv.exists():
            engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self.engine_address, options=CHANNEL_OPTIONS))
            for line in self.install(python, context):  # a fresh checkout needs no `pulumi install` first
                engine.Log(engine_pb2.LogRequest(
                    severity=engine_pb2.INFO, message=line.decode(errors="replace"), ephemeral=True))
        return language_pb2.GetRequiredPackagesResponse(packages=[
            plugin_pb2.PackageDependency(kind="resource", name=plugin.name, version=plugin.version,
                                         server=plugin.server)
            for plugin in python.plugins()])

    @explaining
    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        found = ProjectPython.of(request.info).packages(transitive=request.transitiveDependencies)
        return language_pb2.GetProgramDependenciesResponse(dependencies=[
            language_pb2.DependencyInfo(name=name, version=version) for name, version in found.items()])

    @explaining
    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        python = ProjectPython.of(request.info)
        return (language_pb2.InstallDependenciesResponse(stdout=line) for line in self.install(python, context))

    def install(self, python: ProjectPython, context: Any) -> Iterator[bytes]:
        """Makes the virtual environment and installs the requirements, giving out what the commands say."""
        for what, command in python.installation():
            yield f"{what}\n".encode()
            process = self.start(context, command, cwd=python.program, env=python.environment(os.environ),
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            yield from process.stdout or ()
            if process.wait():
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{what} failed: {' '.join(command)}")

    @explaining
    def Run(self, request: Any, context: Any) -> Any:
        """Configuration travels in the environment, never on the command line: it holds decrypted secrets. The SDK
        looks for these two variables by itself."""
        info, python = request.info, ProjectPython.of(request.info)
        if request.attach_debugger:
            raise ProjectError("the offline Python language host attaches no debugger")
        settings = {
            "project": request.project, "stack": request.stack, "organization": request.organization or "organization",
            "root_directory": info.root_directory, "parallel": request.parallel, "preview": request.dryRun,
            "monitor_address": request.monitor_address, "engine_address": self.engine_address}
        config = {"PULUMI_CONFIG": json.dumps(dict(request.config)),
                  "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys))}
        entry = Path(info.program_directory, info.entry_point)
        process = self.start(
            context, [python.interpreter, "-u", str(HERE / "run_program.py"), json.dumps(settings), str(entry),
                      *request.args],
            cwd=request.pwd or info.program_directory, env=python.environment(os.environ) | config)
        status = process.wait()
        if status == REPORTED:
            return language_pb2.RunResponse(bail=True)
        how = f"exited with non-zero exit code: {status}" if status > 0 else f"was ended by signal {-status}"
        return language_pb2.RunResponse(error=f"Program {how}" if status else "")

    @explaining
    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """A policy pack, or another plugin in Python: its output goes through this call, exit status last."""
        python, directory = ProjectPython.of(request.info), request.info.program_directory
        base = dict(line.split("=", 1) for line in request.env) or dict(os.environ)
        command = ([str(HERE / "lifeline.py"), "pulumi.policy", *request.args, directory] if request.kind == "analyzer"
                   else [directory, *request.args])
        process = self.start(context, [python.interpreter, "-u", *command], cwd=request.pwd or directory,
                             env=python.environment(base), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return relayed(process)

    def start(self, context: Any, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        """Starts a process that ends when its call does."""
        try:
            process: subprocess.Popen[bytes] = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
        except OSError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{command[0]} could not be started: {error}")

        def end() -> None:
            self.running.discard(process)
            if process.poll() is None:
                process.terminate()

        self.running.add(process)
        context.add_callback(end)
        return process

    def Cancel(self, request: Any, context: Any) -> Any:
        for process in list(self.running):
            process.terminate()
        return empty_pb2.Empty()  # type: ignore[attr-defined]


def relayed(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    """What a process writes, line by line as it comes, then its exit status."""
    lines: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def read(name: str, pipe: IO[bytes]) -> None:
        for line in pipe:
            lines.put((name, line))
        lines.put((name, b""))

    pipes = {"stdout": process.stdout, "stderr": process.stderr}
    for name, pipe in pipes.items():
        threading.Thread(target=read, args=(name, pipe), daemon=True).start()
    while pipes:
        name, line = lines.get()
        if line:
            yield language_pb2.RunPluginResponse(**{name: line})  # type: ignore[arg-type]
        else:
            del pipes[name]
    yield language_pb2.RunPluginResponse(exitcode=process.wait())


def main() -> Never:
    lifeline.hold()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=CHANNEL_OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost(sys.argv[-1]), server)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # the engine interrupts the whole process group, the program too
        signal.signal(number, lambda *_: stop.set())
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    stop.wait()
    server.stop(4).wait()  # the engine gives us 5 s
    os._exit(0)


if __name__ == "__main__":
    main()
