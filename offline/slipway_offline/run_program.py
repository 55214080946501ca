"""Runs one Pulumi program: `run_program.py SETTINGS_JSON PROGRAM [ARGUMENT...]`, started by the language host.

It runs under the project's own Python, with nothing but that project's Pulumi SDK. Exit status 0: done; 32: failed,
and the engine has been told why; anything else: the program's own.
"""

import os
import signal
import sys

REPORTED = 32
HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to load
signal.signal(signal.SIGINT, lambda *_: os._exit(REPORTED))  # the engine's way to end what it started, once it is over

try:
    import asyncio
    import atexit
    import json
    import logging
    import runpy
    import traceback
    from typing import Any

    import grpc
    import pulumi
    import pulumi.runtime
    from pulumi.runtime.settings import reset_options
except ImportError as missing:
    sys.exit(f"{missing}\nThe Pulumi SDK is not installed in {sys.prefix}: run `pulumi install`, or install what the "
             "program requires with pip.")

OURS = {__file__, runpy.__file__, "<frozen runpy>"}


def run(program: str) -> None:
    """Executes the program as `__main__` and waits until everything that it registered is done."""
    def execute() -> None:
        runpy.run_path(program, run_name="__main__")

    asyncio.set_event_loop(loop := asyncio.new_event_loop())
    loop.run_until_complete(pulumi.runtime.run_in_stack(execute))


def failure(error: BaseException, directory: str) -> str:
    """The error as the program's author knows it: the traceback begins in their own code, without the frames that
    led there, which are ours and the SDK's. An error that never touched their code keeps all but ours, and a syntax
    error, which names its place itself, none."""
    report = traceback.TracebackException.from_exception(error)
    seen: Any = report
    while seen:
        frames = [frame for frame in seen.stack if frame.filename not in OURS]
        theirs = [frame.filename.startswith(directory + os.sep) and not frame.filename.startswith(sys.prefix + os.sep)
                  for frame in frames]
        syntax_error = hasattr(seen, "msg")
        first = theirs.index(True) if True in theirs else len(frames) if syntax_error else 0
        seen.stack = traceback.StackSummary.from_list(frames[first:])
        seen = seen.__cause__ or seen.__context__
    return "Program failed with an unhandled exception:\n" + "".join(report.format())


def outcome(program: str, directory: str) -> int:
    """Runs the program and reports how it failed, as the exit status to end with."""
    try:
        run(program)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:  # an engine that shuts down has said why
            pulumi.log.error(f"{error.code()}: {error.details()}")
    except KeyboardInterrupt:  # the engine's way to end it: the genuine host lets Python say so as well
        traceback.print_exc()
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:  # noqa: BLE001
        pulumi.log.error(failure(error, directory))
    else:
        return 0
    return REPORTED


def main() -> None:
    settings, program = json.loads(sys.argv[1]), os.path.abspath(sys.argv[2])  # noqa: PTH100
    directory = program if os.path.isdir(program) else os.path.dirname(program)  # noqa: PTH112, PTH120
    runpy.run_path(f"{HERE}/lifeline.py")["hold"]()  # not imported: the program may have a module of that name
    sys.argv = [program, *sys.argv[3:]]
    sys.path[:] = [directory, *(folder for folder in sys.path if folder != HERE)]
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a program that failed leaves tasks that nobody awaits
    reset_options(**settings)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    status = outcome(program, directory)
    atexit._run_exitfuncs()  # noqa: SLF001
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads that wait for an answer of the engine must not keep us


if __name__ == "__main__":
    main()
