"""The language host as a process of its own, called as the pulumi engine calls it, beside an engine made of stubs."""

# Names and arguments are those of the protocol.
# ruff: noqa: ARG002, N802
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    language_pb2,
    language_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)
from slipway_offline import language_host

LAUNCH = Path(language_host.__file__).with_name("launch.py")
NOTHING = empty_pb2.Empty()  # type: ignore[attr-defined]
SECRET = "s3cret-value"


def until(condition: Callable[[], Any], seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
    return answer


def alive(pid: int) -> bool:
    """Whether there is such a process, and not only what is left of it until somebody asks how it ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


class Engine(engine_pb2_grpc.EngineServicer, resource_pb2_grpc.ResourceMonitorServicer):
    """As much of the engine and its resource monitor as a program without resources needs."""

    def __init__(self) -> None:
        self.logged: list[tuple[str, str]] = []
        self.outputs: dict[str, Any] = {}

    def Log(self, request: Any, context: Any) -> Any:
        if request.severity != engine_pb2.DEBUG:
            self.logged.append((engine_pb2.LogSeverity.Name(request.severity), request.message))
        return NOTHING

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "")

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=False)

    def RegisterResource(self, request: Any, context: Any) -> Any:
        return resource_pb2.RegisterResourceResponse(urn=f"urn:pulumi:s::p::{request.type}::{request.name}")

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        self.outputs = dict(request.outputs)
        return NOTHING


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """(the engine, its address)"""
    server, engine = grpc.server(ThreadPoolExecutor(8)), Engine()
    engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield engine, f"127.0.0.1:{port}"
    server.stop(0)


@pytest.fixture(scope="module")
def host(engine: Any) -> Iterator[Any]:
    with subprocess.Popen([sys.executable, "-I", LAUNCH, "language_host", engine[1]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield language_pb2_grpc.LanguageRuntimeStub(channel)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=10)[1]
    assert process.returncode == 0
    assert "language_host.py" not in said, said  # a program that is interrupted says so itself


def info(folder: Path, entry: str = ".", **options: Any) -> Any:
    message = language_pb2.ProgramInfo(root_directory=str(folder), program_directory=str(folder), entry_point=entry)
    message.options.update(options)
    return message


def run(host: Any, engine: Any, folder: Path, program: str, **arguments: Any) -> Any:
    (folder / "__main__.py").write_text(program)
    engine[0].logged.clear()
    return host.Run(language_pb2.RunRequest(
        project="p", stack="s", pwd=str(folder), monitor_address=engine[1], info=info(folder, virtualenv=sys.prefix),
        **arguments))


def refusal(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return refused.value.code(), str(refused.value.details())


def test_a_program_gets_its_configuration_and_its_outputs_arrive(host: Any, engine: Any, tmp_path: Path) -> None:
    answer = run(host, engine, tmp_path, """
import pathlib, pulumi, sys
secret = pulumi.Config().require_secret("token")
pulumi.export("token", secret)
pulumi.export("where", [str(pathlib.Path.cwd()), sys.path[0], sys.argv[0], pulumi.get_organization()])
""", config={"p:token": SECRET}, configSecretKeys=["p:token"])

    assert (answer.error, answer.bail) == ("", False)
    assert list(engine[0].outputs["where"]) == [str(tmp_path)] * 3 + ["organization"]
    assert SECRET in str(engine[0].outputs["token"])


def test_no_secret_stands_on_a_command_line(host: Any, engine: Any, tmp_path: Path) -> None:
    run(host, engine, tmp_path, """
import os, pathlib
pathlib.Path("lines").write_text("".join(
    pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in (os.getpid(), os.getppid())))
""", config={"p:token": SECRET}, configSecretKeys=["p:token"])

    lines = (tmp_path / "lines").read_text()
    assert "language_host" in lines
    assert "run_program" in lines
    assert SECRET not in lines


def test_the_programs_environment_is_the_virtual_environments_and_otherwise_untouched(
        host: Any, engine: Any, tmp_path: Path) -> None:
    run(host, engine, tmp_path, "import json, os; json.dump(dict(os.environ), open('environment', 'w'))")
    seen = json.loads((tmp_path / "environment").read_text())

    assert seen["VIRTUAL_ENV"] == sys.prefix
    assert seen["PATH"].split(os.pathsep)[0] == str(Path(sys.prefix, "bin"))
    assert seen.get("PYTHONPATH") == os.environ.get("PYTHONPATH")


@pytest.mark.parametrize(("program", "error"), [
    ("import sys; sys.exit(3)", "Program exited with non-zero exit code: 3"),
    ("import sys; sys.exit('enough')", "Program exited with non-zero exit code: 1"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Program was ended by signal 9"),
])
def test_an_exit_status_is_the_runs_error(host: Any, engine: Any, tmp_path: Path, program: str, error: str) -> None:
    assert run(host, engine, tmp_path, program).error == error


def test_a_traceback_begins_in_the_program_and_keeps_its_causes(host: Any, engine: Any, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("def fail():\n    raise KeyError('first')\n")
    answer = run(host, engine, tmp_path, """
import beside
try:
    beside.fail()
except KeyError as error:
    raise ValueError("second") from error
""")

    assert answer.bail
    [(severity, message)] = engine[0].logged
    assert severity == "ERROR"
    assert message.count("Traceback (most recent call last)") == 2
    places = [line.split(",")[0].strip() for line in message.splitlines() if line.startswith("  File")]
    assert places == [f'File "{tmp_path / name}"' for name in ("__main__.py", "beside.py", "__main__.py")]
    assert message.rstrip().endswith("ValueError: second")


@pytest.mark.parametrize(("raised", "logged"), [
    ("import pulumi; raise pulumi.RunError('just this')", ["just this"]),
    ("raise KeyboardInterrupt", []),
])
def test_an_error_that_explains_itself_has_no_traceback(
        host: Any, engine: Any, tmp_path: Path, raised: str, logged: list[str]) -> None:
    assert run(host, engine, tmp_path, raised).bail
    assert [message for _, message in engine[0].logged] == logged


def test_what_the_program_registered_to_do_at_its_end_is_done(host: Any, engine: Any, tmp_path: Path) -> None:
    run(host, engine, tmp_path, "import atexit, pathlib; atexit.register(pathlib.Path('done').touch)")
    assert (tmp_path / "done").exists()


def test_cancel_ends_the_program(host: Any, engine: Any, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        running = pool.submit(run, host, engine, tmp_path,
                              "import pathlib, time; pathlib.Path('up').touch(); time.sleep(60)")
        until((tmp_path / "up").exists)
        host.Cancel(NOTHING)
        assert running.result(timeout=10).error == "Program was ended by signal 15"


def test_host_and_program_end_with_the_process_that_started_them(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)")
    parent = subprocess.Popen(  # starts the host, tells its pid and waits
        [sys.executable, "-c", """
import subprocess, sys
host = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
print(host.pid, host.stdout.readline(), flush=True)
host.wait()
""", sys.executable, "-I", str(LAUNCH), "language_host", engine[1]], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    host_pid, port = parent.stdout.readline().split()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, ThreadPoolExecutor() as pool:
        running = pool.submit(run, language_pb2_grpc.LanguageRuntimeStub(channel), engine, tmp_path,
                              (tmp_path / "__main__.py").read_text())
        pid = int(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
        parent.kill()
        parent.communicate()
        assert running.exception(timeout=10)
    until(lambda: not alive(int(host_pid)) and not alive(pid))


def test_a_plugin_in_python_runs_with_its_output_and_exit_status(host: Any, tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import os, sys; print(sys.argv[1:], os.environ['COLOUR']); print('oh', file=sys.stderr); sys.exit(4)")
    said = list(host.RunPlugin(language_pb2.RunPluginRequest(
        pwd=str(tmp_path), kind="resource", args=["1234"], env=["COLOUR=red", f"PATH={os.environ['PATH']}"],
        info=info(tmp_path, virtualenv=sys.prefix))))

    assert {bytes(part.stdout) for part in said} >= {b"['1234'] red\n"}
    assert {bytes(part.stderr) for part in said} >= {b"oh\n"}
    assert said[-1].exitcode == 4


def test_a_call_that_generates_code_is_refused_with_a_message(host: Any) -> None:
    for call in (lambda: host.GenerateProgram(language_pb2.GenerateProgramRequest()),
                 lambda: host.GenerateProject(language_pb2.GenerateProjectRequest()),
                 lambda: host.GeneratePackage(language_pb2.GeneratePackageRequest()),
                 lambda: host.Pack(language_pb2.PackRequest()), lambda: host.Link(language_pb2.LinkRequest())):
        code, message = refusal(call)
        assert code is grpc.StatusCode.UNIMPLEMENTED
        assert "does not generate code" in message


@pytest.mark.parametrize(("options", "message"), [
    ({"toolchain": "uv"}, "toolchain is 'uv': the offline Python language host knows `pip` only"),
    ({"typechecker": "mypy"}, "runtime.options.typechecker is not supported"),
    ({"virtualenv": "nowhere"}, "nowhere is not a virtual environment; make it with `pulumi install`"),
])
def test_an_option_that_cannot_be_met_is_one_clear_message(
        host: Any, tmp_path: Path, options: dict[str, str], message: str) -> None:
    code, said = refusal(lambda: host.Run(language_pb2.RunRequest(info=info(tmp_path, **options))))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert message in said


def test_installing_makes_the_virtual_environment_and_says_what_failed(host: Any, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("./a-package-that-is-not-there\n")
    said: list[str] = []
    parts = host.InstallDependencies(language_pb2.InstallDependenciesRequest(info=info(tmp_path, virtualenv="venv")))
    code, message = refusal(lambda: said.extend(part.stdout.decode() for part in parts))

    assert (tmp_path / "venv" / "bin" / "python").exists()
    assert "a-package-that-is-not-there" in "".join(said)
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "installing what requirements.txt asks for failed" in message
